/** From a job to the pieces of its answers: slots, several answers to one prompt, what is measured. */
import type { Answer, AnswerStream, GenerateOptions, Piece, Prompt } from "../../mod.ts";
import type { Served } from "./host.ts";

export interface Job {
  readonly prompt: Prompt;
  /** The prompt's tokens, by which a slot is chosen. */
  readonly tokens: readonly number[];
  readonly options: GenerateOptions;
  /** Answers to the prompt. */
  readonly choices: number;
  /** The slot to use, where the request names one. */
  readonly slot?: number;
  /** Whether what a slot has of the prompt is used. */
  readonly cached: boolean;
}

/** A piece of an answer, or the whole of it when it has ended. */
export type Event = { readonly choice: number; readonly slot: number } & (
  | { readonly piece: Piece; readonly answer?: undefined }
  | { readonly answer: Answer; readonly piece?: undefined }
);

/** The answers as they come, each with its number. */
export async function* generate(
  served: Served,
  job: Job,
  signal: AbortSignal,
): AsyncGenerator<Event, void, undefined> {
  if (job.choices === 1) {
    yield* one(served, job, 0, signal);
    return;
  }
  // One that fails stops the others.
  const stop = new AbortController();
  const all = AbortSignal.any([signal, stop.signal]);
  const runs = Array.from({ length: job.choices }, (_, choice) => one(served, job, choice, all));
  const next = (run: (typeof runs)[number]) =>
    run.next().then((result) => ({ run, result }) as const);
  const open = new Map(runs.map((run) => [run, next(run)]));
  try {
    while (open.size > 0) {
      const { run, result } = await Promise.race(open.values());
      if (result.done) open.delete(run);
      else {
        open.set(run, next(run));
        yield result.value;
      }
    }
  } finally {
    stop.abort(new DOMException("The answers are not wanted any more", "AbortError"));
    await Promise.allSettled(open.values());
  }
}

async function* one(
  { slots, metrics }: Served,
  { prompt, tokens, options, slot: wanted, cached }: Job,
  choice: number,
  signal: AbortSignal,
): AsyncGenerator<Event, void, undefined> {
  const asked = performance.now();
  const slot = await slots.acquire(tokens, wanted, signal);
  let stream: AnswerStream | undefined;
  try {
    metrics.queued(performance.now() - asked);
    if (!cached) slot.session.reset();
    const { seed } = options;
    stream = slot.session.generate(prompt, {
      ...options,
      ...(seed !== undefined && seed >= 0 && { seed: seed + choice }),
      signal,
    });
    let last = asked;
    for (;;) {
      const next = await stream.next();
      if (next.done) {
        metrics.answered(next.value);
        yield { choice, slot: slot.id, answer: next.value };
        return;
      }
      const now = performance.now();
      if (slot.task!.decoded++ === 0) metrics.firstToken(now - asked);
      else metrics.nextToken(now - last);
      last = now;
      yield { choice, slot: slot.id, piece: next.value };
    }
  } finally {
    await stream?.return();
    slots.release(slot);
  }
}

/** Reads a job to its end: the pieces and the whole of each answer. */
export async function complete(
  served: Served,
  job: Job,
  signal: AbortSignal,
): Promise<
  { readonly pieces: readonly Piece[]; readonly answer: Answer; readonly slot: number }[]
> {
  const pieces = Array.from({ length: job.choices }, (): Piece[] => []);
  const answers: Answer[] = [];
  const used: number[] = [];
  for await (const event of generate(served, job, signal)) {
    used[event.choice] = event.slot;
    if (event.piece) pieces[event.choice].push(event.piece);
    else answers[event.choice] = event.answer;
  }
  return answers.map((answer, i) => ({ pieces: pieces[i], answer, slot: used[i] }));
}
