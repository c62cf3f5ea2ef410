/** Products of rows with the experts that they chose. */
import type { OpOf } from "../../../graph/ops.ts";
import type { ModuleBuilder } from "../../../wasm/assembler.ts";
import { f32x4, floats, i32, v128 } from "../../../wasm/instructions.ts";
import type { Product } from "../../matrix.ts";
import type { CpuOps, OpContext } from "../../ops/context.ts";
import type { Room } from "../kernels.ts";
import { bits } from "../kernels.ts";
import { bump, bytesOf, repeat, vectorsOf } from "../math.ts";
import type { WasmMatrix } from "../matrix.ts";
import { productsAtOnce, rowsAtOnce } from "../place.ts";

/** moeSum(x, weights, y, width, used, rows, nextWeights): y = Σ over the choices of weight · x; moeAdd of x alone. */
export function defineExperts(module: ModuleBuilder): void {
  for (const weighted of [true, false])
    module.define(weighted ? "moeSum" : "moeAdd", 7, (f, x, w, y, width, used, rows, nextW) => {
      const next = f.let(bytesOf(width));
      repeat(f, rows, () => {
        const [from, to, left] = [f.let(x), f.let(y), f.let(vectorsOf(width))];
        repeat(f, left, () => {
          const [at, by, choices, sum] = [f.let(from), f.let(w), f.let(used), f.let(floats(0))];
          repeat(f, choices, () => {
            const own = v128.load(at);
            f.set(sum, f32x4.add(sum, weighted ? f32x4.mul(own, v128.load32Splat(by)) : own));
            bump(f, at, next);
            bump(f, by, 4);
          });
          v128.store(f, to, sum);
          bump(f, from, 16);
          bump(f, to, 16);
        });
        bump(f, x, i32.mul(next, used));
        bump(f, y, next);
        bump(f, w, nextW);
      });
    });
}

/** Choices by expert, in arrays that are used again. */
class Choices {
  /** Choice numbers (row · used + choice), expert by expert. */
  order = new Int32Array(0);
  /** Where each expert's begin; one more for the end. */
  starts = new Int32Array(0);

  sort(route: Float32Array, rows: number, used: number, experts: number): void {
    if (this.order.length < rows * used) this.order = new Int32Array(rows * used);
    if (this.starts.length !== experts + 2) this.starts = new Int32Array(experts + 2);
    const { order, starts } = this;
    starts.fill(0);
    const expertOf = (row: number, choice: number): number => route[row * 2 * used + choice];
    for (let row = 0; row < rows; row++)
      for (let choice = 0; choice < used; choice++) starts[expertOf(row, choice) + 2]++;
    for (let e = 1; e < starts.length; e++) starts[e] += starts[e - 1];
    for (let row = 0; row < rows; row++)
      for (let choice = 0; choice < used; choice++)
        order[starts[expertOf(row, choice) + 1]++] = row * used + choice;
  }
}

export function expertOps(
  { kernels: k, x: gathered, y: made }: Room,
  plain: CpuOps,
): Partial<CpuOps> {
  const choices = new Choices();

  /** Choices [from, to) of `order`, all of one expert. */
  const expert = (
    op: OpOf<"moeLinear">,
    c: OpContext,
    product: Product,
    from: number,
    to: number,
    y: Float32Array,
  ): void => {
    const weight = c.weights.matrix(op.weight) as WasmMatrix;
    const x = c.value(op.x).byteOffset;
    const { used, perExpert, out } = op;
    const bytes = 4 * weight.width;
    const xOf = (i: number): number => x + bytes * (perExpert ? i : Math.floor(i / used));
    const { order } = choices;
    if (to - from === 1) {
      weight.multiplyAt(xOf(order[from]), 1, product, y.byteOffset + 4 * out * order[from]);
      return;
    }
    const most = Math.max(1, Math.min(rowsAtOnce, Math.floor(productsAtOnce / out)));
    for (let at = from; at < to; at += most) {
      const count = Math.min(most, to - at);
      for (let n = 0; n < count; n++)
        k["move"](gathered.byteOffset + n * bytes, xOf(order[at + n]), bytes, 1, 0, 0);
      weight.multiplyAt(gathered.byteOffset, count, product, made.byteOffset);
      for (let n = 0; n < count; n++) {
        const to = y.byteOffset + 4 * out * order[at + n];
        k["move"](to, made.byteOffset + 4 * out * n, 4 * out, 1, 0, 0);
      }
    }
  };
  const productOf = (
    op: OpOf<"moeLinear">,
    c: OpContext,
    chosen: number,
    experts: number,
  ): Product => {
    const height = c.weights.matrix(op.weight).rows / experts;
    return {
      first: chosen * height + op.first,
      out: op.out,
      from: 0,
      to: op.out,
      bias: c.weights.optional(op.bias),
      scale: c.weights.optional(op.scale)?.[chosen],
    };
  };
  const pacedExperts = async (
    op: OpOf<"moeLinear">,
    c: OpContext,
    experts: number,
    y: Float32Array,
  ): Promise<Float32Array> => {
    // Steps are computed one at a time, so that nobody else sorts choices meanwhile.
    for (let e = 0; e < experts; e++) {
      const [from, to] = [choices.starts[e], choices.starts[e + 1]];
      if (from === to) continue;
      expert(op, c, productOf(op, c, e, experts), from, to, y);
      await c.rest();
    }
    return y;
  };
  return {
    moeLinear: (op, c) => {
      const { used, out } = op;
      const router = c.graph.ops[op.route];
      const route = c.value(op.route);
      const rows = route.length / (2 * used);
      const weight = c.weights.matrix(op.weight);
      const experts = router.op === "moeRoute" ? router.experts : 1;
      if (out > productsAtOnce) return plain.moeLinear(op, c);
      const y = c.make(rows * used * out);
      choices.sort(route, rows, used, experts);
      if (rows * used * out * weight.width > c.products * weight.haste)
        return pacedExperts(op, c, experts, y);
      for (let e = 0; e < experts; e++) {
        const [from, to] = [choices.starts[e], choices.starts[e + 1]];
        if (from < to) expert(op, c, productOf(op, c, e, experts), from, to, y);
      }
      return y;
    },
    moeSum: (op, c) => {
      const { used, weighted } = op;
      const [x, route] = [c.value(op.x), c.value(op.route)];
      const rows = route.length / (2 * used);
      const y = c.make(x.length / used);
      const weights = route.byteOffset + 4 * used;
      const name = weighted ? "moeSum" : "moeAdd";
      k[name](x.byteOffset, weights, y.byteOffset, y.length / rows, used, rows, 8 * used);
      return y;
    },
    moeScale: (op, c) => {
      const { used } = op;
      const [x, route] = [c.value(op.x), c.value(op.route)];
      const rows = route.length / (2 * used);
      const width = x.length / rows;
      const y = c.make(x.length * used);
      for (let row = 0; row < rows; row++)
        for (let choice = 0; choice < used; choice++) {
          const to = y.byteOffset + 4 * width * (row * used + choice);
          const by = route[row * 2 * used + used + choice];
          k["scale"](x.byteOffset + 4 * width * row, to, width, bits(by), 0);
        }
      return y;
    },
  };
}
