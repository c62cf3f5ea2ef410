/** How kernels are called. */

/** Functions of integers: addresses, counts, and numbers by their bits. */
export type Kernels = Readonly<Record<string, (...args: number[]) => void>>;

/** A memory with an instance of the kernels. */
export interface Room {
  readonly kernels: Kernels;
  readonly buffer: ArrayBuffer;
  readonly x: Float32Array;
  readonly y: Float32Array;
}

const float = new Float32Array(1);
const integer = new Int32Array(float.buffer);

/** The bits of a number as a 32-bit float. */
export function bits(value: number): number {
  float[0] = value;
  return integer[0];
}
