/** How kernels are called. */
import type { Pool } from "./threads/pool.ts";

/** Functions of integers: addresses, counts, and numbers by their bits. */
export type Kernels = Readonly<Record<string, (...args: number[]) => void>>;

/** A memory with an instance of the kernels. */
export interface Room {
  readonly kernels: Kernels;
  readonly buffer: ArrayBuffer;
  readonly x: Float32Array;
  readonly y: Float32Array;
  /** Its number among the memories. */
  readonly number: number;
  /** Where there are helpers: divides jobs over all threads. */
  readonly pool?: Pool;
}

/** Products from which on a job is worth dividing: some 20 µs. */
const leastProducts = 2 ** 17;

/** The pool, where dividing so many products is worth it. */
export function poolFor({ pool }: Room, products: number): Pool | undefined {
  return pool && pool.threads > 1 && products >= leastProducts ? pool : undefined;
}

const float = new Float32Array(1);
const integer = new Int32Array(float.buffer);

/** The bits of a number as a 32-bit float. */
export function bits(value: number): number {
  float[0] = value;
  return integer[0];
}
