/** Mixture of experts. A route row is [used ids][used weights]. */

import type { OpOf, RouteParams } from "../../graph/ops.ts";
import type { Matrix } from "../matrix.ts";
import { byRows, rowsOf } from "./by-rows.ts";
import type { OpContext, OpsOf } from "./context.ts";

function softmax(x: ArrayLike<number>): Float64Array {
  const all = Float64Array.from(x);
  const max = all.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const exps = all.map((value) => Math.exp(value - max));
  const sum = exps.reduce((a, b) => a + b, 0);
  return exps.map((value) => value / sum);
}

/** Numbers of the `count` largest, best first; the lower number wins a tie. */
function largest(scores: Float64Array, count: number): number[] {
  return Array.from(scores.keys())
    .sort((a, b) => scores[b] - scores[a] || a - b)
    .slice(0, count);
}

/**
 * Scores with the groups outside of the best `groupsUsed` struck out; a group counts its two best
 * experts.
 */
function limitGroups(scores: Float64Array, groups: number, groupsUsed: number): Float64Array {
  if (groups <= 1 || groupsUsed >= groups) return scores;
  const size = scores.length / groups;
  const worth = Float64Array.from({ length: groups }, (_, group) => {
    const own = scores.slice(group * size, (group + 1) * size).sort();
    return own[size - 1] + (size > 1 ? own[size - 2] : 0);
  });
  const kept = new Set(largest(worth, groupsUsed));
  return scores.map((score, i) =>
    kept.has(Math.floor(i / size)) ? score : Number.NEGATIVE_INFINITY,
  );
}

/** Chooses experts for each row of logits [rows][experts]. */
export function moeRoute(
  logits: Float32Array,
  params: RouteParams,
  bias?: Float32Array,
): Float32Array {
  const { experts, used, gate } = params;
  const rows = logits.length / experts;
  const out = new Float32Array(rows * 2 * used);
  for (let row = 0; row < rows; row++) {
    const own = Float64Array.from(logits.subarray(row * experts, (row + 1) * experts));
    let scores: Float64Array = own;
    if (gate === "softmax") scores = softmax(own);
    if (gate === "sigmoid") scores = own.map((x) => 1 / (1 + Math.exp(-x)));
    const biased = bias ? scores.map((score, i) => score + bias[i]) : scores;
    const ids = largest(limitGroups(biased, params.groups, params.groupsUsed), used);
    let weights: Float64Array = Float64Array.from(ids, (id) => scores[id]);
    if (gate === "softmaxChosen") weights = softmax(weights);
    if (params.normalize) {
      const sum = Math.max(
        weights.reduce((a, b) => a + b, 0),
        6.103515625e-5, // the smallest normal half
      );
      weights = weights.map((weight) => weight / sum);
    }
    out.set(ids, row * 2 * used);
    out.set(
      weights.map((weight) => weight * params.scale),
      row * 2 * used + used,
    );
  }
  return out;
}

/** What an expert layer reads. */
export interface ExpertWeights {
  /** Expert e's matrix rows start at row e · height. */
  readonly weight: Matrix;
  readonly height: number;
  readonly first: number;
  readonly out: number;
  readonly bias?: Float32Array;
  readonly scale?: Float32Array;
}

/**
 * The chosen experts' x · Wᵀ + bias: [rows][used][out]. With `perExpert`, x is [rows][used][in].
 */
export function moeLinear(
  x: Float32Array,
  route: Float32Array,
  used: number,
  perExpert: boolean,
  o: ExpertWeights,
): Float32Array {
  const rows = route.length / (2 * used);
  const { height, first, out, weight } = o;
  const y = new Float32Array(rows * used * out);
  // An expert's rows side by side, so that its weights are read once for all of them.
  const chosenBy = new Map<number, number[]>();
  for (let i = 0; i < rows * used; i++) {
    const expert = route[Math.floor(i / used) * 2 * used + (i % used)];
    const own = chosenBy.get(expert);
    if (own) own.push(i);
    else chosenBy.set(expert, [i]);
  }
  for (const [expert, choices] of chosenBy) {
    const own = new Float32Array(choices.length * weight.width);
    const made = new Float32Array(choices.length * out);
    choices.forEach((i, n) => {
      const from = (perExpert ? i : Math.floor(i / used)) * weight.width;
      own.set(x.subarray(from, from + weight.width), n * weight.width);
    });
    const product = {
      first: expert * height + first,
      out,
      from: 0,
      to: out,
      bias: o.bias,
      scale: o.scale?.[expert],
    };
    weight.multiply(own, choices.length, product, made);
    choices.forEach((i, n) => y.set(made.subarray(n * out, (n + 1) * out), i * out));
  }
  return y;
}

/** Sum over the chosen experts of weight · x, or of x alone: [rows][used][width] → [rows][width]. */
export function moeSum(
  x: Float32Array,
  route: Float32Array,
  used: number,
  weighted: boolean,
): Float32Array {
  const rows = route.length / (2 * used);
  const width = x.length / (rows * used);
  const out = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < width; i++) {
      let sum = 0;
      for (let choice = 0; choice < used; choice++) {
        const weight = weighted ? route[row * 2 * used + used + choice] : 1;
        sum += weight * x[(row * used + choice) * width + i];
      }
      out[row * width + i] = sum;
    }
  }
  return out;
}

/** Each row once for each chosen expert, times its weight: [rows][width] → [rows][used][width]. */
export function moeScale(x: Float32Array, route: Float32Array, used: number): Float32Array {
  const rows = route.length / (2 * used);
  const width = x.length / rows;
  const out = new Float32Array(rows * used * width);
  return out.map((_, i) => {
    const [row, choice] = [Math.floor(i / (used * width)), Math.floor(i / width) % used];
    return x[row * width + (i % width)] * route[row * 2 * used + used + choice];
  });
}

async function pacedMoeLinear(op: OpOf<"moeLinear">, c: OpContext): Promise<Float32Array> {
  const weight = c.weights.matrix(op.weight);
  const [bias, scaleBy] = [c.weights.optional(op.bias), c.weights.optional(op.scale)];
  const router = c.graph.ops[op.route];
  const experts = router.op === "moeRoute" ? router.experts : 1;
  const expert = { ...op, weight, height: weight.rows / experts, bias, scale: scaleBy };
  const [x, route] = [c.value(op.x), c.value(op.route)];
  const products = (op.used * op.out * weight.width) / weight.haste;
  return byRows(c, route.length / c.width(op.route), products, (from, to) => {
    const part = rowsOf(x, c.width(op.x), from, to);
    const choice = rowsOf(route, c.width(op.route), from, to);
    return moeLinear(part, choice, op.used, op.perExpert, expert);
  });
}

export const moeOps: OpsOf<"moeRoute" | "moeLinear" | "moeSum" | "moeScale"> = {
  moeRoute: (op, c) => moeRoute(c.value(op.logits), op, c.weights.optional(op.selectionBias)),
  moeLinear: pacedMoeLinear,
  moeSum: (op, c) => moeSum(c.value(op.x), c.value(op.route), op.used, op.weighted),
  moeScale: (op, c) => moeScale(c.value(op.x), c.value(op.route), op.used),
};
