/** The order of sums of the CPU's kernels, stated in TypeScript (see src/cpu/wasm/products.ts and floats.ts). */

const f = Math.fround;
const zeros = (count: number): Float32Array => new Float32Array(count);
const add4 = (v: Float32Array): number => f(f(v[0] + v[2]) + f(v[1] + v[3]));

/** To the nearest whole number, of two the even one. */
function nearest(value: number): number {
  const down = Math.floor(value);
  const rest = value - down;
  return rest > 0.5 || (rest === 0.5 && down % 2 !== 0) ? down + 1 : down;
}

export interface Quantized {
  readonly q: Int32Array;
  readonly d: Float32Array;
  readonly s: Float32Array;
}

/** A row of x as 15-bit integers in blocks of 32. */
export function quantize(x: Float32Array): Quantized {
  const blocks = x.length / 32;
  const [q, d, s] = [new Int32Array(x.length), zeros(blocks), zeros(blocks)];
  for (let b = 0; b < blocks; b++) {
    const own = x.subarray(32 * b, 32 * b + 32);
    const top = Math.max(2 ** -100, ...own.map(Math.abs));
    const by = f(16383 / top);
    let sum = 0;
    own.forEach((value, i) => {
      const whole = nearest(f(value * by)) || 0;
      q[32 * b + i] = whole;
      sum += whole;
    });
    d[b] = f(top / 16383);
    s[b] = f(d[b] * sum);
  }
  return { q, d, s };
}

/** A row of weights: codes [group][term][128], scales [group][term][4], minima [group][4]. */
export interface Unpacked {
  readonly terms: number;
  readonly codes: Int16Array;
  readonly scales: Float32Array;
  readonly minima: Float32Array;
}

/** One product of a row of weights in blocks. */
export function blockProduct({ terms, codes, scales, minima }: Unpacked, x: Quantized): number {
  const [acc, off] = [zeros(4), zeros(4)];
  const blocks = x.d.length;
  for (let group = 0; 4 * group < blocks; group++) {
    for (let term = 0; term < terms; term++) {
      const part = group * terms + term;
      for (let lane = 0; lane < 4 && 4 * group + lane < blocks; lane++) {
        const block = 4 * group + lane;
        let sum = 0;
        for (let i = 0; i < 32; i++) sum += codes[128 * part + 32 * lane + i] * x.q[32 * block + i];
        acc[lane] += f(f(sum) * f(scales[4 * part + lane] * x.d[block]));
      }
    }
    for (let lane = 0; lane < 4 && 4 * group + lane < blocks; lane++)
      off[lane] += f(minima[4 * group + lane] * x.s[4 * group + lane]);
  }
  return add4(acc.map((value, i) => value - off[i]));
}

/** One product of a row of floats. */
export function floatProduct(w: Float32Array, x: Float32Array): number {
  const acc = zeros(8);
  const whole = w.length - (w.length % 8);
  for (let i = 0; i < whole; i++) acc[i % 8] += f(w[i] * x[i]);
  let tail = 0;
  for (let i = whole; i < w.length; i++) tail = f(tail + f(w[i] * x[i]));
  return f(add4(zeros(4).map((_, i) => acc[i] + acc[i + 4])) + tail);
}
