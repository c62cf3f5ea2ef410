/** The ops in plain TypeScript: what each takes from the graph, the weights and the sequence. */
import type { OpOf } from "../../graph/ops.ts";
import { activation } from "./activation.ts";
import { attention } from "./attention.ts";
import type { CpuOps, OpContext } from "./context.ts";
import { conv, shift } from "./conv.ts";
import { deltaNet } from "./deltaNet.ts";
import { add, addWeight, clamp, mul, mulWeight, scale, softcap } from "./elementwise.ts";
import { embed } from "./embed.ts";
import { gated } from "./gated.ts";
import { concat, select, slice } from "./layout.ts";
import { headLinear, rowDot } from "./linear.ts";
import { moeLinear, moeRoute, moeScale, moeSum } from "./moe.ts";
import { l2Norm, layerNorm, rmsNorm } from "./norm.ts";
import { positionScale } from "./positionScale.ts";
import { rope } from "./rope.ts";
import { ssm } from "./ssm.ts";
import { wkv7 } from "./wkv7.ts";

export const plainOps: CpuOps = {
  embed: (op, c) => {
    const { tokens } = c.rows;
    const ids = {
      token: () => tokens,
      first: () => new Uint8Array(tokens.length),
      position: () => c.positions().map((position) => position + op.offset),
    };
    return embed(c.weights.matrix(op.table), ids[op.by]());
  },
  rmsNorm: (op, c) => rmsNorm(c.value(op.x), c.weights.optional(op.weight), op.eps, op.group),
  layerNorm: (op, c) => {
    const [weight, bias] = [c.weights.optional(op.weight), c.weights.optional(op.bias)];
    return layerNorm(c.value(op.x), weight, bias, op.eps, op.group);
  },
  l2Norm: (op, c) => l2Norm(c.value(op.x), op.eps, op.group),
  linear: pacedLinear,
  headLinear: (op, c) => headLinear(c.value(op.x), c.weights.matrix(op.weight), op.heads, op.out),
  dot: (op, c) => rowDot(c.value(op.a), c.value(op.b), op.group),
  add: (op, c) => add(c.value(op.a), c.value(op.b)),
  mul: (op, c) => mul(c.value(op.a), c.value(op.b), c.width(op.a) / c.width(op.b)),
  addWeight: (op, c) => addWeight(c.value(op.x), c.weights.vector(op.weight)),
  mulWeight: (op, c) => mulWeight(c.value(op.x), c.weights.vector(op.weight), op.run),
  scale: (op, c) => scale(c.value(op.x), op.by, op.plus),
  clamp: (op, c) => clamp(c.value(op.x), op.min, op.max),
  activation: (op, c) => activation(c.value(op.x), op.kind, op.params),
  gated: (op, c) => gated(c.value(op.gate), c.value(op.up), op.kind, op.alpha, op.limit),
  softcap: (op, c) => softcap(c.value(op.x), op.cap),
  rope: (op, c) =>
    rope(c.value(op.x), c.positions(), op.headWidth, op.start, op.style, c.angles(op.table)),
  positionScale: (op, c) =>
    positionScale(c.value(op.x), c.positions(), op.floorScale, op.factor, op.offset),
  attention: pacedAttention,
  slice: (op, c) => slice(c.value(op.x), op.offset, op.width, c.width(op.x) / op.groups),
  concat: (op, c) => {
    const parts = op.parts.map((part) => c.value(part));
    return concat(parts, (parts[0].length / c.width(op.parts[0])) * op.groups);
  },
  select: (op, c) => select(c.value(op.x), c.rows.outputs, c.width(op.x)),
  moeRoute: (op, c) => moeRoute(c.value(op.logits), op, c.weights.optional(op.selectionBias)),
  moeLinear: pacedMoeLinear,
  moeSum: (op, c) => moeSum(c.value(op.x), c.value(op.route), op.used, op.weighted),
  moeScale: (op, c) => moeScale(c.value(op.x), c.value(op.route), op.used),
  conv: (op, c) => {
    const past = c.state(op, (op.kernel - 1) * c.width(op.x));
    const [weight, bias] = [c.weights.vector(op.weight), c.weights.optional(op.bias)];
    return conv(c.value(op.x), past, weight, op.kernel, bias);
  },
  ssm: (op, c) =>
    ssm(c.value(op.x), c.state(op, c.width(op.x) * op.state), {
      ...op,
      dt: c.value(op.dt),
      b: c.value(op.b),
      c: c.value(op.c),
      a: c.weights.vector(op.a),
      d: c.weights.optional(op.d),
      dtBias: c.weights.optional(op.dtBias),
    }),
  deltaNet: (op, c) =>
    deltaNet(c.state(op, op.heads * op.keyWidth * op.valueWidth), {
      ...op,
      q: c.value(op.q),
      k: c.value(op.k),
      v: c.value(op.v),
      g: c.value(op.g),
      beta: c.value(op.beta),
    }),
  shift: (op, c) => shift(c.value(op.x), c.state(op, c.width(op.x))),
  wkv7: (op, c) =>
    wkv7(c.state(op, op.heads * op.headWidth * op.headWidth), op.headWidth, {
      r: c.value(op.r),
      w: c.value(op.w),
      k: c.value(op.k),
      v: c.value(op.v),
      a: c.value(op.a),
      b: c.value(op.b),
    }),
};

/** x · Wᵀ · scale + bias in slices of outputs, between which others get a turn. */
async function pacedLinear(op: OpOf<"linear">, c: OpContext): Promise<Float32Array> {
  const x = c.value(op.x);
  const weight = c.weights.matrix(op.weight);
  const bias = c.weights.optional(op.bias);
  const scaleBy = c.weights.optional(op.scale)?.[0];
  const { first, out } = op;
  const rows = x.length / weight.width;
  const y = new Float32Array(rows * out);
  const columns = Math.max(1, Math.floor(c.products / (rows * weight.width)));
  for (let from = 0; from < out; from += columns) {
    const to = Math.min(out, from + columns);
    weight.multiply(x, rows, { first, out, from, to, bias, scale: scaleBy }, y);
    await c.rest();
  }
  return y;
}

async function pacedMoeLinear(op: OpOf<"moeLinear">, c: OpContext): Promise<Float32Array> {
  const weight = c.weights.matrix(op.weight);
  const [bias, scaleBy] = [c.weights.optional(op.bias), c.weights.optional(op.scale)];
  const router = c.graph.ops[op.route];
  const experts = router.op === "moeRoute" ? router.experts : 1;
  const expert = { ...op, weight, height: weight.rows / experts, bias, scale: scaleBy };
  const [x, route] = [c.value(op.x), c.value(op.route)];
  const products = op.used * op.out * weight.width;
  return byRows(c, route.length / c.width(op.route), products, (from, to) => {
    const part = rowsOf(x, c.width(op.x), from, to);
    const choice = rowsOf(route, c.width(op.route), from, to);
    return moeLinear(part, choice, op.used, op.perExpert, expert);
  });
}

/** Writes keys and values, then attends row by row. */
async function pacedAttention(op: OpOf<"attention">, c: OpContext): Promise<Float32Array> {
  const slot = c.graph.slots[op.slot];
  if (slot.kind !== "kv") throw new TypeError("attention on a state slot");
  const cache = c.kv(op.slot);
  if (op.k !== undefined) cache.keys.write(c.value(op.k), c.first);
  if (op.v !== undefined) cache.values.write(c.value(op.v), c.first);
  const inputs = {
    ...op,
    keys: cache.keys.data,
    values: cache.values.data,
    valueStride: cache.values.width,
    kvHeads: slot.heads,
    keyWidth: slot.keyWidth,
    valueWidth: slot.valueWidth,
    sinks: c.weights.optional(op.sinks),
  };
  const q = c.value(op.q);
  const width = op.heads * slot.keyWidth;
  const count = q.length / width;
  const length = c.first + count;
  const products = length * op.heads * (slot.keyWidth + slot.valueWidth);
  return byRows(c, count, products, (from, to) =>
    attention(rowsOf(q, width, from, to), c.first + from, length, inputs),
  );
}

const rowsOf = (x: Float32Array, width: number, from: number, to: number): Float32Array =>
  x.subarray(from * width, to * width);

/** An op that goes row by row, between some of which others get a turn. */
async function byRows(
  c: OpContext,
  rows: number,
  productsPerRow: number,
  compute: (from: number, to: number) => Float32Array,
): Promise<Float32Array> {
  const step = Math.max(1, Math.floor(c.products / productsPerRow));
  if (step >= rows) return compute(0, rows);
  const parts: Float32Array[] = [];
  for (let from = 0; from < rows; from += step) {
    parts.push(compute(from, Math.min(rows, from + step)));
    await c.rest();
  }
  return concat(parts, 1);
}
