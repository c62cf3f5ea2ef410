/**
 * Functions of four floats at once, in 32-bit steps that any engine computes alike. The coefficients are those of
 * Cephes (https://www.netlib.org/cephes/, single precision); results are within about two units of the last place.
 */
import type { FunctionBody, I32, Local, V128 } from "../../wasm/assembler.ts";
import { f32x4, floats, i32, i32x4, int, ints, shuffle, v128 } from "../../wasm/instructions.ts";

const { add, sub, mul, div, min, max, abs } = f32x4;

/** (((c[0] · x + c[1]) · x + c[2]) …) */
const polynomial = (x: V128, [first, ...rest]: readonly number[]): V128 =>
  rest.reduce((sum, c) => add(mul(sum, x), floats(c)), floats(first));

/** eˣ; below −86.5 and above 88.3 that of the border, so that no result is subnormal or infinite. */
export function exp(f: FunctionBody, value: V128): V128 {
  const x = f.let(max(min(value, floats(88.3)), floats(-86.5)));
  const n = f.let(f32x4.nearest(mul(x, floats(Math.LOG2E))));
  f.set(x, sub(sub(x, mul(n, floats(0.693359375))), mul(n, floats(-2.1219444e-4))));
  const p = polynomial(
    x,
    [1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 0.5],
  );
  const power = i32x4.shl(i32x4.add(i32x4.truncate(n), ints(127)), int(23));
  return mul(add(add(mul(p, mul(x, x)), x), floats(1)), power);
}

/** 1 / (1 + e⁻ˣ), times y. */
export const sigmoid = (f: FunctionBody, x: V128, y: V128): V128 =>
  div(y, add(floats(1), exp(f, f32x4.neg(x))));

const signOf = (x: V128): V128 => v128.and(x, ints(-0x80000000));

export function tanh(f: FunctionBody, value: V128): V128 {
  const x = f.let(value);
  const z = f.let(mul(x, x));
  const near = polynomial(
    z,
    [-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1],
  );
  const small = f.let(add(mul(mul(near, z), x), x));
  const size = f.let(abs(x));
  const e = exp(f, add(size, size));
  const large = sub(floats(1), div(floats(2), add(e, floats(1))));
  return v128.bitselect(small, v128.or(large, signOf(x)), f32x4.lt(size, floats(0.625)));
}

/** x · Φ(x) as max(x, 0) − |x| / 2 · erfc(|x| / √2), erfc by Abramowitz and Stegun 7.1.26. */
export function geluErf(f: FunctionBody, value: V128): V128 {
  const x = f.let(value);
  const a = f.let(mul(abs(x), floats(Math.SQRT1_2)));
  const t = f.let(div(floats(1), add(floats(1), mul(a, floats(0.3275911)))));
  const p = polynomial(t, [1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592]);
  const e = exp(f, f32x4.neg(mul(a, a)));
  const rest = mul(mul(mul(p, t), e), mul(abs(x), floats(0.5)));
  return sub(max(x, floats(0)), rest);
}

/** ln(1 + eˣ) as max(x, 0) + 2 · artanh(t / (2 + t)) with t = e^−|x|. */
export function softplus(f: FunctionBody, value: V128): V128 {
  const x = f.let(value);
  const t = f.let(exp(f, f32x4.neg(abs(x))));
  const z = f.let(div(t, add(t, floats(2))));
  const odd = [15, 13, 11, 9, 7, 5, 3, 1].map((n) => 2 / n);
  return add(max(x, floats(0)), mul(z, polynomial(f.let(mul(z, z)), odd)));
}

/** Lane i = (v[0] + v[2]) + (v[1] + v[3]) of vector i. */
export function sumsOf(f: FunctionBody, vectors: readonly V128[]): V128 {
  const [a, b] = [0, 2].map((i) => {
    const [x, y] = [f.let(vectors[i]), f.let(vectors[i + 1])];
    return f.let(add(shuffle(4, x, y, 0, 4, 1, 5), shuffle(4, x, y, 2, 6, 3, 7)));
  });
  return add(shuffle(4, a, b, 0, 1, 4, 5), shuffle(4, a, b, 2, 3, 6, 7));
}

export const bump = (f: FunctionBody, local: Local<"i32">, by: number | I32): void =>
  f.set(local, i32.add(local, typeof by === "number" ? int(by) : by));

/** `body` as often as `count` says, which is 0 in the end. */
export function repeat(f: FunctionBody, count: Local<"i32">, body: () => void): void {
  f.when(count, () =>
    f.loop(
      () => {
        body();
        bump(f, count, -1);
      },
      () => count,
    ),
  );
}
/** Bytes of so many floats. */
export const bytesOf = (count: I32): I32 => i32.shl(count, int(2));
/** How many vectors hold so many floats. */
export const vectorsOf = (count: I32): I32 => i32.shr(i32.add(count, int(3)), int(2));
