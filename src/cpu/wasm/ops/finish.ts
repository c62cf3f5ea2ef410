/** What is done to products, and moves. */
import type { ModuleBuilder } from "../../../wasm/assembler.ts";
import { copy, f32, f32x4, i32, int, v128 } from "../../../wasm/instructions.ts";
import { bump, bytesOf, repeat } from "../math.ts";

export function defineFinish(module: ModuleBuilder): void {
  /** NAME(y, ys, rows, count, scale, bias): `count` numbers of each row times a scale, plus a bias. */
  for (const bias of [false, true])
    module.define(bias ? "finishB" : "finish", 6, (f, y, ys, rows, count, scale, plus) => {
      const by = f.let(f32.fromBits(scale));
      const all = f.let(f32x4.splat(by));
      repeat(f, rows, () => {
        const [at, own] = [f.let(y), f.let(plus)];
        const [whole, rest] = [i32.shr(count, int(2)), i32.and(count, int(3))].map((n) => f.let(n));
        repeat(f, whole, () => {
          const value = f32x4.mul(v128.load(at), all);
          v128.store(f, at, bias ? f32x4.add(value, v128.load(own)) : value);
          bump(f, at, 16);
          bump(f, own, 16);
        });
        repeat(f, rest, () => {
          const value = f32.mul(f32.load(at), by);
          f32.store(f, at, bias ? f32.add(value, f32.load(own)) : value);
          bump(f, at, 4);
          bump(f, own, 4);
        });
        bump(f, y, bytesOf(ys));
      });
    });
  /** move(to, from, bytes, rows, nextTo, nextFrom): rows of bytes. */
  module.define("move", 6, (f, to, from, bytes, rows, nextTo, nextFrom) =>
    repeat(f, rows, () => {
      copy(f, to, from, bytes);
      bump(f, to, nextTo);
      bump(f, from, nextFrom);
    }),
  );
}
