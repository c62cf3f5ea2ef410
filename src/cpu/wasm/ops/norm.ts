/**
 * Norms. Sums go over a run's elements in four lanes, lane i taking the elements 4 n + i, and end as
 * (lane 0 + lane 2) + (lane 1 + lane 3).
 */
import type { FunctionBody, I32, Local, ModuleBuilder, V128 } from "../../../wasm/assembler.ts";
import { f32, f32x4, float, floats, i32, int, v128 } from "../../../wasm/instructions.ts";
import type { CpuOps } from "../../ops/context.ts";
import { bits, type Kernels } from "../kernels.ts";
import { bump, repeat } from "../math.ts";
import { total } from "../products.ts";

const { add, mul, sub } = f32x4;

/** The sum of `of` over the vectors of a run. */
function sumOf(f: FunctionBody, x: I32, vectors: I32, of: (x: Local<"v128">) => V128) {
  const [at, left, sum] = [f.let(x), f.let(vectors), f.let(floats(0))];
  repeat(f, left, () => {
    f.set(sum, add(sum, of(f.let(v128.load(at)))));
    bump(f, at, 16);
  });
  return total(f, sum);
}

/**
 * NAME(x, y, group, runs, eps, w, b, all): runs of `group` floats; the weight and the bias hold `all` runs, after
 * which they begin again.
 */
function define(
  module: ModuleBuilder,
  name: string,
  has: {
    readonly center?: true;
    readonly unit?: true;
    readonly weight?: true;
    readonly bias?: true;
  },
): void {
  module.define(name, 8, (f, x, y, group, runs, eps, w0, b0, all) => {
    const vectors = f.let(i32.shr(group, int(2)));
    const count = f.let(f32.fromI32(group));
    const [w, b, left, turn] = [f.let(w0), f.let(b0), f.let(int(0)), f.let(all)];
    const least = f32.fromBits(eps);
    repeat(f, runs, () => {
      const mean = has.center
        ? f.let(
            f32x4.splat(
              f32.div(
                sumOf(f, x, vectors, (v) => v),
                count,
              ),
            ),
          )
        : undefined;
      const centered = (v: V128): V128 => (mean ? sub(v, mean) : v);
      const squares = sumOf(f, x, vectors, (v) => {
        const own = f.let(centered(v));
        return mul(own, own);
      });
      const root = has.unit
        ? f32.max(f32.sqrt(squares), least)
        : f32.sqrt(f32.add(f32.div(squares, count), least));
      const factor = f.let(f32x4.splat(f32.div(float(1), root)));
      f.set(left, vectors);
      repeat(f, left, () => {
        let value = mul(centered(v128.load(x)), factor);
        if (has.weight) value = mul(value, v128.load(w));
        if (has.bias) value = add(value, v128.load(b));
        v128.store(f, y, value);
        for (const at of [x, y, w, b]) bump(f, at, 16);
      });
      bump(f, turn, -1);
      f.when(i32.eq(turn, int(0)), () => {
        f.set(turn, all);
        f.set(w, w0);
        f.set(b, b0);
      });
    });
  });
}

export function defineNorms(module: ModuleBuilder): void {
  define(module, "l2Norm", { unit: true });
  define(module, "rmsNorm", {});
  define(module, "rmsNormW", { weight: true });
  for (const weight of [undefined, true] as const)
    for (const bias of [undefined, true] as const)
      define(module, `layerNorm${weight ? "W" : ""}${bias ? "B" : ""}`, {
        center: true,
        weight,
        bias,
      });
}

export function normOps(k: Kernels, plain: CpuOps): Partial<CpuOps> {
  const norm = (
    name: string,
    x: Float32Array,
    y: Float32Array,
    { group, eps }: { readonly group: number; readonly eps: number },
    weight?: Float32Array,
    bias?: Float32Array,
  ): Float32Array => {
    const all = weight ?? bias;
    const [w, b] = [weight?.byteOffset ?? 0, bias?.byteOffset ?? 0];
    const repeats = all ? all.length / group : 0;
    k[name](x.byteOffset, y.byteOffset, group, x.length / group, bits(eps), w, b, repeats);
    return y;
  };
  const odd = (group: number): boolean => group % 4 !== 0;
  return {
    rmsNorm: (op, c) => {
      if (odd(op.group)) return plain.rmsNorm(op, c);
      const [x, weight] = [c.value(op.x), c.weights.optional(op.weight)];
      return norm(weight ? "rmsNormW" : "rmsNorm", x, c.make(x.length), op, weight);
    },
    layerNorm: (op, c) => {
      const [weight, bias] = [c.weights.optional(op.weight), c.weights.optional(op.bias)];
      if (odd(op.group) || (weight && bias && weight.length !== bias.length))
        return plain.layerNorm(op, c);
      const x = c.value(op.x);
      const name = `layerNorm${weight ? "W" : ""}${bias ? "B" : ""}`;
      return norm(name, x, c.make(x.length), op, weight, bias);
    },
    l2Norm: (op, c) => {
      if (odd(op.group)) return plain.l2Norm(op, c);
      const x = c.value(op.x);
      return norm("l2Norm", x, c.make(x.length), op);
    },
  };
}
