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
  i32,
  i32x4,
  int,
  ints,
  v128,
} from "../../wasm/instructions.ts";
import { halves } from "./format.ts";
import { total } from "./products.ts";

interface FloatFormat {
  readonly bytes: number;
  /** Four of them, from p + offset on. */
  load(f: FunctionBody, p: I32, offset: number): V128;
  one(f: FunctionBody, p: I32): F32;
}

const wide = (v: V128): V128 => i32x4.shl(v, int(16));
export const floatFormats: Readonly<Record<string, FloatFormat>> = {
  F32: { bytes: 4, load: (_, p, offset) => v128.load(p, offset), one: (_, p) => f32.load(p) },
  F16: {
    bytes: 2,
    load: (f, p, offset) => halves(f, v128.load16x4u(p, offset)),
    one: (f, p) => floatLane(halves(f, i32x4.splat(i32.load16u(p))), 0),
  },
  BF16: {
    bytes: 2,
    load: (_, p, offset) => wide(v128.load16x4u(p, offset)),
    one: (_, p) => floatLane(wide(i32x4.splat(i32.load16u(p))), 0),
  },
};

/** NAME_vec(w, stride, count, x, k, rows, y, ys): y[row][ys] of `count` weight rows. */
export function defineFloats(module: ModuleBuilder, name: string, format: FloatFormat): void {
  module.define(`${name}_vec`, 8, (f, w, stride, count, x0, k, rows, y0, ys) => {
    const [p, left, m, y] = Array.from({ length: 4 }, () => f.let(int(0)));
    const [nextX, nextY] = [f.let(i32.shl(k, int(2))), f.let(i32.shl(ys, int(2)))];
    const bump = (local: Local<"i32">, by: number): void => f.set(local, i32.add(local, int(by)));
    const x = f.let(int(0));
    /** Rows of x at once, for which the weights are converted once. */
    const block = (size: number): void => {
      const each = Array.from({ length: size }, (_, i) => i);
      const acc = each.map(() => [f.let(ints(0)), f.let(ints(0))]);
      const tails = each.map(() => f.let(float(0)));
      const xs = each.map((i) => f.let(i32.add(x, i32.mul(nextX, int(i)))));
      f.set(p, w);
      f.set(left, i32.shr(k, int(3)));
      f.when(left, () =>
        f.loop(
          () => {
            const weights = [0, 1].map((i) => f.let(format.load(f, p, 4 * format.bytes * i)));
            each.forEach((r) => {
              weights.forEach((weight, i) => {
                const product = f32x4.mul(weight, v128.load(xs[r], 16 * i));
                f.set(acc[r][i], f32x4.add(acc[r][i], product));
              });
              bump(xs[r], 32);
            });
            bump(p, 8 * format.bytes);
            bump(left, -1);
          },
          () => left,
        ),
      );
      f.set(left, i32.and(k, int(7)));
      f.when(left, () =>
        f.loop(
          () => {
            const weight = f.let(format.one(f, p));
            each.forEach((r) => {
              f.set(tails[r], f32.add(tails[r], f32.mul(weight, f32.load(xs[r]))));
              bump(xs[r], 4);
            });
            bump(p, format.bytes);
            bump(left, -1);
          },
          () => left,
        ),
      );
      each.forEach((r) => {
        const sum = total(f, f32x4.add(acc[r][0], acc[r][1]));
        f32.store(f, y, f32.add(sum, tails[r]));
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
        bump(count, -1);
      },
      () => count,
    );
  });
}
