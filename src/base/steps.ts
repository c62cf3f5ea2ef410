/** Long computations in steps: a generator that yields where others may have their turn. */

/** Milliseconds of work without a turn for others. */
const STRETCH = 20;

/** All steps at once. */
export function atOnce<T>(steps: Generator<void, T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** `map` in steps of a thousand entries. */
export function* mapSteps<T, U>(list: readonly T[], change: (one: T) => U): Generator<void, U[]> {
  const out: U[] = [];
  for (const one of list) if (out.push(change(one)) % 1000 === 0) yield;
  return out;
}

/** The steps with turns of the event loop between them. An aborted signal throws its reason. */
export async function inTurns<T>(steps: Generator<void, T>, signal: AbortSignal): Promise<T> {
  for (let since = performance.now(); ; ) {
    const { done, value } = steps.next();
    if (done) return value;
    if (performance.now() - since < STRETCH) continue;
    await new Promise((resolve) => setTimeout(resolve, 0));
    signal.throwIfAborted();
    since = performance.now();
  }
}
