/** Logits for tests, the same in every run, and the error of a call. */
import { WebggufError } from "../../src/base/errors.ts";
import { uniform } from "../../src/sample/random.ts";

/** Normal numbers (Box–Muller) of a fixed seed. */
export function normal(count: number, seed: number, deviation = 3): Float32Array {
  return Float32Array.from(
    { length: count },
    (_, i) =>
      deviation *
      Math.sqrt(-2 * Math.log(1 - uniform(seed, 0, i))) *
      Math.cos(2 * Math.PI * uniform(seed, 1, i)),
  );
}

/** Positions from the largest value to the smallest, equal ones in order. */
export function sortedPositions(values: ArrayLike<number>): number[] {
  return Array.from(values, (_, i) => i).sort((a, b) =>
    values[a] === values[b] ? a - b : values[b] - values[a],
  );
}

/** Code and key of the error that a call throws. */
export function failure(call: () => unknown): { code?: string; key?: string } {
  try {
    call();
  } catch (error) {
    if (error instanceof WebggufError) return { code: error.code, key: error.key };
    throw error;
  }
  return {};
}
