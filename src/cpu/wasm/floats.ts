/**
 * x · Wᵀ for weights that are floats, on activations as they are. The order of sums: eight lanes do, in 32-bit
 * floats, acc[i] += w · x over the elements 8 n + i; v[i] = acc[i] + acc[i + 4]; the product is (v[0] + v[2]) +
 * (v[1] + v[3]), plus the sum of w · x over the elements behind the last whole eight, in their order.
 */
import type { F32, FunctionBody, I32, Local, ModuleBuilder, V128 } from "../../wasm/assembler.ts";
import {
  f32,
  f32x4,
  float,
  floatLane,
  i16x8,
  i32,
  i32x4,
  int,
  ints,
  shorts,
  v128,
} from "../../wasm/instructions.ts";
import { halves } from "./format.ts";
import { total } from "./products.ts";

interface FloatFormat {
  readonly bytes: number;
  /** Eight of them, from p on. */
  load(f: FunctionBody, p: I32): [V128, V128];
  one(f: FunctionBody, p: I32): F32;
}

const wide = (v: V128): V128 => i32x4.shl(v, int(16));

/** Eight 16-bit floats: all but subnormal and infinite ones and such that are no numbers are made by three instructions. */
function eightHalves(f: FunctionBody, p: I32): [V128, V128] {
  const both = f.let(v128.load(p));
  const parts = [i32x4.extendLow(both), i32x4.extendHigh(both)].map((v) => {
    const placed = v128.and(i32x4.shl(v, int(13)), ints(0x8fffe000 | 0));
    return f.let(f32x4.mul(placed, ints(0x77800000)));
  });
  // Without its sign and less 2^-14: the exponents 1 to 30 come below -4096.
  const rest = f.let(i16x8.sub(i16x8.shl(both, int(1)), shorts(0x0800)));
  const rare = v128.and(i16x8.gt(rest, shorts(-4097)), i16x8.lt(rest, shorts(0)));
  f.when(v128.anyTrue(rare), () => {
    f.set(parts[0], halves(f, i32x4.extendLowU(both)));
    f.set(parts[1], halves(f, i32x4.extendHighU(both)));
  });
  return [parts[0], parts[1]];
}

const eight =
  (load: (p: I32, offset: number) => V128, step: number) =>
  (f: FunctionBody, p: I32): [V128, V128] => [f.let(load(p, 0)), f.let(load(p, step))];

export const floatFormats: Readonly<Record<string, FloatFormat>> = {
  F32: { bytes: 4, load: eight((p, at) => v128.load(p, at), 16), one: (_, p) => f32.load(p) },
  F16: {
    bytes: 2,
    load: eightHalves,
    one: (f, p) => floatLane(halves(f, i32x4.splat(i32.load16u(p))), 0),
  },
  BF16: {
    bytes: 2,
    load: eight((p, at) => wide(v128.load16x4u(p, at)), 8),
    one: (_, p) => floatLane(wide(i32x4.splat(i32.load16u(p))), 0),
  },
};

/**
 * NAME_vec(w, stride, count, x, k, rows, y, ys): y[row][ys] of `count` weight rows, two at once: one of the first half
 * and one of the second (see products.ts).
 */
export function defineFloats(module: ModuleBuilder, name: string, format: FloatFormat): void {
  module.define(`${name}_vec`, 8, (f, w, stride, count, x0, k, rows, y0, ys) => {
    const [left, m, y] = Array.from({ length: 3 }, () => f.let(int(0)));
    const ps = [0, 1].map(() => f.let(int(0)));
    const half = f.let(i32.shr(i32.add(count, int(1)), int(1)));
    const far = f.let(i32.sub(count, half));
    const farY = f.let(i32.shl(far, int(2)));
    const [nextX, nextY] = [f.let(i32.shl(k, int(2))), f.let(i32.shl(ys, int(2)))];
    const bump = (local: Local<"i32">, by: number): void => f.set(local, i32.add(local, int(by)));
    const x = f.let(int(0));
    /** Rows of x at once, for which the weights are converted once. */
    const block = (size: number): void => {
      const each = Array.from({ length: size }, (_, i) => i);
      const acc = ps.map(() => each.map(() => [f.let(ints(0)), f.let(ints(0))]));
      const tails = ps.map(() => each.map(() => f.let(float(0))));
      const xs = each.map((i) => f.let(i32.add(x, i32.mul(nextX, int(i)))));
      f.set(ps[0], w);
      f.set(ps[1], i32.add(w, i32.mul(stride, far)));
      f.set(left, i32.shr(k, int(3)));
      f.when(left, () =>
        f.loop(
          () => {
            const weights = ps.map((p) => format.load(f, p));
            each.forEach((r) => {
              for (const i of [0, 1]) {
                const value = f.let(v128.load(xs[r], 16 * i));
                weights.forEach((own, n) => {
                  f.set(acc[n][r][i], f32x4.add(acc[n][r][i], f32x4.mul(own[i], value)));
                });
              }
              bump(xs[r], 32);
            });
            for (const p of ps) bump(p, 8 * format.bytes);
            bump(left, -1);
          },
          () => left,
        ),
      );
      f.set(left, i32.and(k, int(7)));
      f.when(left, () =>
        f.loop(
          () => {
            const weights = ps.map((p) => f.let(format.one(f, p)));
            each.forEach((r) => {
              weights.forEach((weight, n) => {
                f.set(tails[n][r], f32.add(tails[n][r], f32.mul(weight, f32.load(xs[r]))));
              });
              bump(xs[r], 4);
            });
            for (const p of ps) bump(p, format.bytes);
            bump(left, -1);
          },
          () => left,
        ),
      );
      each.forEach((r) => {
        ps.forEach((_, n) => {
          const sum = total(f, f32x4.add(acc[n][r][0], acc[n][r][1]));
          f32.store(f, n === 0 ? y : i32.add(y, farY), f32.add(sum, tails[n][r]));
        });
        f.set(y, i32.add(y, nextY));
      });
      f.set(x, i32.add(x, i32.mul(nextX, int(size))));
      bump(m, -size);
    };
    f.loop(
      () => {
        f.set(m, rows);
        f.set(x, x0);
        f.set(y, y0);
        for (const size of [4, 1]) {
          const more = (): I32 => i32.lt(int(size - 1), m);
          f.when(more(), () => f.loop(() => block(size), more));
        }
        f.set(w, i32.add(w, stride));
        bump(y0, 4);
        bump(half, -1);
      },
      () => half,
    );
  });
}
