/**
 * Counter-based randomness: Philox-4x32 with 10 rounds (Salmon, Moraes, Dror, Shaw: "Parallel
 * Random Numbers: As Easy as 1, 2, 3", SC11). A number depends on the seed and on where it is used,
 * never on how many were used before, so batching, speculation and retries change nothing.
 *
 * Only 32-bit integer arithmetic is used, so that WGSL computes the same with `u32`. A round on
 * counter (c0, c1, c2, c3) and key (k0, k1), with lo and hi the halves of a 64-bit product:
 *
 *     p = 0xD2511F53 · c0,  q = 0xCD9E8D57 · c2
 *     (c0, c1, c2, c3) ← (hi(q) ^ c1 ^ k0, lo(q), hi(p) ^ c3 ^ k1, lo(p))
 *     (k0, k1) ← (k0 + 0x9E3779B9, k1 + 0xBB67AE85)
 *
 * webgguf's use: counter = (step, sequence, stream, 0), key = (low, high 32 bits of the seed), and
 * of the result's first word the upper 24 bits, so that the number is exact in f32.
 */

/** What a number is for; numbers of different streams are independent. */
export type Stream = 0 | 1;
/** The choice of the token. */
export const tokenStream: Stream = 0;
/** XTC's decision to act. */
export const xtcStream: Stream = 1;

/** The four words of Philox-4x32-10. */
export function philox(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
): [number, number, number, number] {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const pHigh = multiplyHigh(0xd2511f53, c0);
    const pLow = Math.imul(0xd2511f53, c0);
    const qHigh = multiplyHigh(0xcd9e8d57, c2);
    const qLow = Math.imul(0xcd9e8d57, c2);
    c0 = qHigh ^ c1 ^ k0;
    c1 = qLow;
    c2 = pHigh ^ c3 ^ k1;
    c3 = pLow;
    k0 = (k0 + 0x9e3779b9) | 0;
    k1 = (k1 + 0xbb67ae85) | 0;
  }
  return [c0 >>> 0, c1 >>> 0, c2 >>> 0, c3 >>> 0];
}

/** The upper half of the 64-bit product of two unsigned 32-bit numbers, from 16-bit halves. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const cross = (aHigh * bLow + (Math.imul(aLow, bLow) >>> 16)) >>> 0; // at most 2³² − 2¹⁶: no carry
  const middle = (aLow * bHigh + (cross & 0xffff)) >>> 0;
  return (aHigh * bHigh + (cross >>> 16) + (middle >>> 16)) >>> 0;
}

/**
 * A number in [0, 1), a multiple of 2⁻²⁴. `seed` is an integer from 0 to 2⁵³ − 1; `sequence` and
 * `step` count modulo 2³².
 */
export function uniform(
  seed: number,
  sequence: number,
  step: number,
  stream: Stream = tokenStream,
): number {
  const key: [number, number] = [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0];
  return (philox([step, sequence, stream, 0], key)[0] >>> 8) * 2 ** -24;
}

/** A seed of 32 random bits. */
export function randomSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0];
}
