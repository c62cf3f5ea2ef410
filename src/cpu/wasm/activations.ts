/** Activations as 15-bit integers in blocks of 32. */
import type { FunctionBody, Local, ModuleBuilder } from "../../wasm/assembler.ts";
import {
  f32,
  f32x4,
  float,
  floatLane,
  i16x8,
  i32,
  i32x4,
  int,
  intLane,
  ints,
  shuffle,
  v128,
} from "../../wasm/instructions.ts";

/** 15 bits, so that 32 products with codes of up to 4096 fit 32 bits. */
const largest = 16383;
/** A block's scale is of at least this: 1 / it stays finite. */
const least = 2 ** -100;

/**
 * quantize(x, q, d, s, k, rows): each 32 of the k floats of a row as integers q · d, and s = d · Σ q. Rows of q, d
 * and s are filled with zeros to whole groups of 128. A block with a value that is not finite gets a d of the kind.
 */
export function defineQuantize(module: ModuleBuilder): FunctionBody {
  return module.define("quantize", 6, (f, x, q, d, s, k, rows) => {
    const left = f.let(int(0));
    const bump = (local: Local<"i32">, by: number): void => f.set(local, i32.add(local, int(by)));
    const next = (): void => {
      bump(q, 64);
      bump(d, 4);
      bump(s, 4);
      bump(left, -1);
    };
    f.loop(
      () => {
        f.set(left, i32.shr(k, int(5)));
        f.loop(
          () => {
            const most = f.let(ints(0));
            for (let i = 0; i < 8; i++)
              f.set(most, f32x4.max(most, f32x4.abs(v128.load(x, 16 * i))));
            f.set(most, f32x4.max(most, shuffle(4, most, most, 2, 3, 0, 1)));
            const max = f32.max(f32.max(floatLane(most, 0), floatLane(most, 1)), float(least));
            const top = f.let(max);
            const by = f.let(f32x4.splat(f32.div(float(largest), top)));
            const sum = f.let(ints(0));
            for (let i = 0; i < 4; i++) {
              const [a, b] = [0, 16].map((at) =>
                f.let(i32x4.truncate(f32x4.nearest(f32x4.mul(v128.load(x, 32 * i + at), by)))),
              );
              f.set(sum, i32x4.add(sum, i32x4.add(a, b)));
              v128.store(f, q, i16x8.narrow(a, b), 16 * i);
            }
            const scale = f.let(f32.div(top, float(largest)));
            f32.store(f, d, scale);
            const total = [1, 2, 3].reduce(
              (t, lane) => i32.add(t, intLane(sum, lane)),
              intLane(sum, 0),
            );
            f32.store(f, s, f32.mul(scale, f32.fromI32(total)));
            bump(x, 128);
            next();
          },
          () => i32.lt(int(0), left),
        );
        // Up to whole groups: as many as are missing to a multiple of four blocks.
        f.set(left, i32.and(i32.sub(int(0), i32.shr(k, int(5))), int(3)));
        f.when(left, () =>
          f.loop(
            () => {
              for (let i = 0; i < 4; i++) v128.store(f, q, ints(0), 16 * i);
              f32.store(f, d, float(0));
              f32.store(f, s, float(0));
              next();
            },
            () => left,
          ),
        );
        bump(rows, -1);
      },
      () => rows,
    );
  });
}
