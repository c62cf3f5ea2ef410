/** From a job to the pieces of its answers: slots, several answers to one prompt, what is measured. */
import type { Answer, GenerateOptions, Piece, Prompt } from "../../mod.ts";
import type { Served } from "./host.ts";
import { type Progress, prefilled } from "./prefill.ts";
import type { Slot } from "./slots.ts";

export interface Job {
  readonly prompt: Prompt;
  /** The prompt's tokens, by which a slot is chosen. */
  readonly tokens: readonly number[];
  readonly options: GenerateOptions;
  /** Answers to the prompt. */
  readonly choices: number;
  /** The slot to use, where the request names one. */
  readonly slot?: number;
  /** Whether what was computed of the prompt is used. */
  readonly cached: boolean;
  /** Whether it is told how far the prompt is computed. */
  readonly progress?: boolean;
}

/** How far a prompt is computed, a piece of an answer, or the whole of it when it has ended. */
export type Event = { readonly choice: number; readonly slot: number } & (
  | { readonly progress: Progress; readonly piece?: undefined; readonly answer?: undefined }
  | { readonly piece: Piece; readonly progress?: undefined; readonly answer?: undefined }
  | { readonly answer: Answer; readonly progress?: undefined; readonly piece?: undefined }
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
  served: Served,
  job: Job,
  choice: number,
  signal: AbortSignal,
): AsyncGenerator<Event, void, undefined> {
  const { slots, metrics, revival } = served;
  const asked = performance.now();
  const slot = await slots.acquire(job.tokens, job.slot, signal);
  // An answer that is begun again, as the device was lost, must be the same: it has a seed from the start.
  const { seed = -1 } = job.options;
  const own = {
    ...job.options,
    ...{ shareCache: job.cached, seed: (seed >= 0 ? seed : randomSeed()) + choice, signal },
  };
  try {
    metrics.queued(performance.now() - asked);
    if (!job.cached) slot.session.reset();
    const events = revival.iterate(
      (begun) => answer(served, slot, begun > 0 ? { ...job, progress: false } : job, own),
      ({ progress }) => progress === undefined,
      signal,
    );
    let last = asked;
    for await (const event of events) {
      if (event.answer) metrics.answered(event.answer);
      else if (event.piece) {
        const now = performance.now();
        if (slot.task!.decoded++ === 0) metrics.firstToken(now - asked);
        else metrics.nextToken(now - last);
        last = now;
      }
      yield { choice, slot: slot.id, ...event };
    }
  } finally {
    slots.release(slot);
  }
}

type Made = Event extends infer E ? (E extends Event ? Omit<E, "choice" | "slot"> : never) : never;

/** An answer in a slot's session. */
async function* answer(
  { chunk }: Served,
  { session }: Slot,
  { prompt, tokens, progress }: Job,
  options: GenerateOptions & { readonly signal: AbortSignal },
): AsyncGenerator<Made, void, undefined> {
  const before = progress ? yield* told(prefilled(session, tokens, chunk, options)) : undefined;
  const stream = session.generate(prompt, options);
  try {
    for (let first = true; ; first = false) {
      const next = await stream.next();
      if (first && before) yield { progress: before.whole() };
      if (next.done) {
        yield { answer: before ? before.counted(next.value) : next.value };
        return;
      }
      yield { piece: next.value };
    }
  } finally {
    await stream.return();
  }
}

async function* told<R>(
  steps: AsyncGenerator<Progress, R, undefined>,
): AsyncGenerator<Made, R, undefined> {
  for (;;) {
    const next = await steps.next();
    if (next.done) return next.value;
    yield { progress: next.value };
  }
}

const randomSeed = (): number => crypto.getRandomValues(new Uint32Array(1))[0];

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
    else if (event.answer) answers[event.choice] = event.answer;
  }
  return answers.map((answer, i) => ({ pieces: pieces[i], answer, slot: used[i] }));
}
