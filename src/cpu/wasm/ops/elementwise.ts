/** Ops on single elements, four at a time: what stands behind a value's end up to whole vectors is its own. */
import { QUICK_GELU_ALPHA } from "../../../graph/activations.ts";
import type { Activation } from "../../../graph/ops.ts";
import type { FunctionBody, I32, Local, ModuleBuilder, V128 } from "../../../wasm/assembler.ts";
import { f32, f32x4, floats, v128 } from "../../../wasm/instructions.ts";
import type { CpuOps } from "../../ops/context.ts";
import { bits, type Kernels } from "../kernels.ts";
import {
  bump,
  bytesOf,
  exp,
  geluErf,
  repeat,
  sigmoid,
  softplus,
  tanh,
  vectorsOf,
} from "../math.ts";

const { add, mul, max, min } = f32x4;

/** gelu(x) = x · σ(1.5957691… · (x + 0.044715 x³)) */
function gelu(f: FunctionBody, x: V128): V128 {
  const cube = mul(mul(mul(x, x), x), floats(0.044715));
  return sigmoid(f, mul(add(x, cube), floats(2 * 0.7978845608028654)), x);
}
const square = (f: FunctionBody, value: V128): V128 => {
  const x = f.let(value);
  return mul(x, x);
};

/** Those that other kinds are not made of are computed in plain TypeScript. */
const activations: Partial<Record<Activation, (f: FunctionBody, x: V128) => V128>> = {
  silu: (f, x) => sigmoid(f, x, x),
  gelu,
  geluErf,
  geluQuick: (f, x) => sigmoid(f, mul(x, floats(QUICK_GELU_ALPHA)), x),
  relu: (_, x) => max(x, floats(0)),
  relu2: (f, x) => square(f, max(x, floats(0))),
  sigmoid: (f, x) => sigmoid(f, x, floats(1)),
  tanh,
  softplus,
  exp,
  negExp: (f, x) => f32x4.neg(exp(f, x)),
};

/** All lanes = the float with these bits. */
const same = (f: FunctionBody, value: I32): V128 => f.let(f32x4.splat(f32.fromBits(value)));

export function defineElementwise(module: ModuleBuilder): void {
  /** NAME(x, y, n, a, b): y = of(x) with two numbers, given by their bits. */
  const map = (
    name: string,
    of: (f: FunctionBody, x: V128, a: V128, b: V128) => V128,
  ): FunctionBody =>
    module.define(name, 5, (f, x, y, n, a, b) => {
      const [first, second] = [same(f, a), same(f, b)];
      f.set(n, vectorsOf(n));
      repeat(f, n, () => {
        v128.store(f, y, of(f, f.let(v128.load(x)), first, second));
        bump(f, x, 16);
        bump(f, y, 16);
      });
    });
  for (const [kind, of] of Object.entries(activations)) map(kind, of);
  map("scale", (_, x, by, plus) => add(mul(x, by), plus));
  map("clamp", (_, x, least, most) => min(most, max(least, x)));
  map("softcap", (f, x, cap) => mul(cap, tanh(f, f32x4.div(x, cap))));
  /** NAME(a, b, y, n, rows, limit, alpha): y = of(a, b) with the same n floats of b for each row. */
  const two = (
    name: string,
    of: (f: FunctionBody, a: V128, b: V128, limit: V128, alpha: V128) => V128,
  ): FunctionBody =>
    module.define(name, 7, (f, a, b, y, n, rows, limit, alpha) => {
      const [most, by] = [same(f, limit), same(f, alpha)];
      rowByRow(f, a, y, n, rows, (own, to) => {
        const q = f.let(b);
        return () => {
          const [first, second] = [own, q].map((at) => f.let(v128.load(at)));
          v128.store(f, to, of(f, first, second, most, by));
          bump(f, q, 16);
        };
      });
    });
  two("add", (_, a, b) => add(a, b));
  two("mul", (_, a, b) => mul(a, b));
  two("swigluOai", (f, gate, up, limit, alpha) => {
    const g = f.let(min(gate, limit));
    const u = min(limit, max(f32x4.neg(limit), up));
    return mul(sigmoid(f, mul(alpha, g), g), add(u, floats(1)));
  });
  /** mulRuns(a, b, y, n, runs): y = a · b with one number of b for each n of a. */
  module.define("mulRuns", 5, (f, a, b, y, n, runs) =>
    rowByRow(f, a, y, n, runs, (own, to) => {
      const by = f.let(v128.load32Splat(b));
      bump(f, b, 4);
      return () => v128.store(f, to, mul(v128.load(own), by));
    }),
  );
}

/** Rows of n floats of a and y, one vector after another; a row's last vector may reach into the next row. */
function rowByRow(
  f: FunctionBody,
  a: Local<"i32">,
  y: Local<"i32">,
  n: I32,
  rows: Local<"i32">,
  row: (a: Local<"i32">, y: Local<"i32">) => () => void,
): void {
  repeat(f, rows, () => {
    const [own, to, left] = [f.let(a), f.let(y), f.let(vectorsOf(n))];
    const each = row(own, to);
    repeat(f, left, () => {
      each();
      bump(f, own, 16);
      bump(f, to, 16);
    });
    bump(f, a, bytesOf(n));
    bump(f, y, bytesOf(n));
  });
}

export function elementwiseOps(k: Kernels, plain: CpuOps): Partial<CpuOps> {
  const map = (name: string, x: Float32Array, y: Float32Array, a = 0, b = 0): Float32Array => {
    k[name](x.byteOffset, y.byteOffset, x.length, bits(a), bits(b));
    return y;
  };
  const rows = (name: string, a: Float32Array, b: Float32Array, y: Float32Array): Float32Array => {
    k[name](a.byteOffset, b.byteOffset, y.byteOffset, b.length, a.length / b.length, 0, 0);
    return y;
  };
  const runs = (a: Float32Array, b: Float32Array, y: Float32Array, run: number): Float32Array => {
    for (let at = 0; at < a.length; at += run * b.length)
      k["mulRuns"](a.byteOffset + 4 * at, b.byteOffset, y.byteOffset + 4 * at, run, b.length);
    return y;
  };
  return {
    add: (op, c) => {
      const a = c.value(op.a);
      return rows("add", a, c.value(op.b), c.make(a.length));
    },
    mul: (op, c) => {
      const [a, b] = [c.value(op.a), c.value(op.b)];
      const y = c.make(a.length);
      return a.length === b.length ? rows("mul", a, b, y) : runs(a, b, y, a.length / b.length);
    },
    addWeight: (op, c) => {
      const x = c.value(op.x);
      return rows("add", x, c.weights.vector(op.weight), c.make(x.length));
    },
    mulWeight: (op, c) => {
      const [x, weight] = [c.value(op.x), c.weights.vector(op.weight)];
      const y = c.make(x.length);
      return op.run === 1 ? rows("mul", x, weight, y) : runs(x, weight, y, op.run);
    },
    scale: (op, c) => {
      const x = c.value(op.x);
      return map("scale", x, c.make(x.length), op.by, op.plus);
    },
    clamp: (op, c) => {
      const x = c.value(op.x);
      return map("clamp", x, c.make(x.length), op.min, op.max);
    },
    softcap: (op, c) => {
      const x = c.value(op.x);
      return map("softcap", x, c.make(x.length), op.cap);
    },
    activation: (op, c) => {
      if (!activations[op.kind]) return plain.activation(op, c);
      const x = c.value(op.x);
      return map(op.kind, x, c.make(x.length));
    },
    gated: (op, c) => {
      const [gate, up] = [c.value(op.gate), c.value(op.up)];
      const { kind, limit, alpha } = op;
      if (kind !== "swigluOai" && !activations[kind]) return plain.gated(op, c);
      const y = c.make(gate.length);
      if (kind !== "swigluOai") return rows("mul", map(kind, gate, y), up, y);
      const [a, b] = [gate.byteOffset, up.byteOffset];
      k[kind](a, b, y.byteOffset, gate.length, 1, bits(limit), bits(alpha));
      return y;
    },
  };
}
