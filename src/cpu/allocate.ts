/** Memory of the CPU path. */
import { WebggufError } from "../base/errors.ts";

/** An array of `length` elements; `device/out-of-memory` where the runtime gives no more. */
export function allocate<A>(
  kind: { new (length: number): A; readonly BYTES_PER_ELEMENT: number },
  length: number,
): A {
  try {
    return new kind(length);
  } catch (cause) {
    throw outOfMemory(length * kind.BYTES_PER_ELEMENT, cause);
  }
}

export function outOfMemory(actual: number, cause: unknown): WebggufError {
  return new WebggufError(
    "device/out-of-memory",
    `Cannot hold ${actual} more bytes in memory: the runtime refused; use a smaller model or contextLength`,
    { actual, cause },
  );
}
