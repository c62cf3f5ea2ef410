/**
 * ALiBi's slope of a head (https://arxiv.org/abs/2108.12409, with llama.cpp's rule for head counts that are no
 * powers of two); 0 where `maxBias` is 0.
 */
export function alibiSlope(head: number, heads: number, maxBias: number): number {
  if (maxBias === 0) return 0;
  const power = 2 ** Math.floor(Math.log2(heads));
  if (head < power) return 2 ** ((-maxBias / power) * (head + 1));
  return 2 ** ((-maxBias / 2 / power) * (2 * (head - power) + 1));
}
