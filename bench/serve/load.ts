/** Requests that come at a rate, no more than some at once. */
import { random } from "../random-blocks.ts";
import { ask, type Measured, type Target } from "./request.ts";

export interface LoadSettings {
  readonly prompts: number;
  /** Requests a second, at random moments (Poisson); Infinity = all at once. */
  readonly rate: number;
  /** Requests under way at most. */
  readonly concurrency: number;
  /** Words of a prompt. */
  readonly words: number;
  readonly seed: number;
}

/** Numbers from 0 to below 1, the same for a seed. */
function shares(seed: number): () => number {
  const next = random(seed);
  return () => next() / 2 ** 32;
}

/** Milliseconds after the start at which each request is due. */
export function arrivals({ prompts, rate, seed }: LoadSettings): number[] {
  if (!Number.isFinite(rate)) return new Array<number>(prompts).fill(0);
  const next = shares(seed);
  let at = 0;
  const due = Array.from({ length: prompts }, () => {
    const now = at;
    at += -Math.log(1 - next());
    return now;
  });
  // As vLLM does: the whole takes what the rate says, whatever the chances were.
  return due.map((one) => ((one / at) * prompts * 1000) / rate);
}

/** A text of so many words that no cache has. */
export function promptOf(words: number, next: () => number): string {
  const word = (): string =>
    Array.from({ length: 3 }, () => String.fromCharCode(97 + Math.floor(next() * 26))).join("");
  return Array.from({ length: words }, word).join(" ");
}

/** Sends all of them; resolves when the last has ended. */
export async function sendAll(
  target: Target,
  settings: LoadSettings,
): Promise<{ readonly results: readonly Measured[]; readonly seconds: number }> {
  const next = shares(settings.seed + 1);
  const prompts = Array.from({ length: settings.prompts }, () => promptOf(settings.words, next));
  const started = performance.now();
  let running = 0;
  const waiting: (() => void)[] = [];
  const results = await Promise.all(
    arrivals(settings).map(async (due, i) => {
      await new Promise((resolve) => setTimeout(resolve, due));
      if (running >= settings.concurrency)
        await new Promise<void>((resolve) => waiting.push(resolve));
      else running++;
      try {
        return await ask(target, prompts[i], settings.words);
      } finally {
        // Its place goes to the next that waits.
        const waits = waiting.shift();
        if (waits) waits();
        else running--;
      }
    }),
  );
  return { results, seconds: (performance.now() - started) / 1000 };
}
