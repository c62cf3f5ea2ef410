/** Runs a graph's ops over some rows of one sequence. */
import type { Graph, Op, Ref, RopeTable } from "../graph/ops.ts";
import { activation } from "./ops/activation.ts";
import { attention } from "./ops/attention.ts";
import { conv, shift } from "./ops/conv.ts";
import { deltaNet } from "./ops/deltaNet.ts";
import { add, addWeight, clamp, mul, mulWeight, scale, softcap } from "./ops/elementwise.ts";
import { embed } from "./ops/embed.ts";
import { gated } from "./ops/gated.ts";
import { concat, select, slice } from "./ops/layout.ts";
import { headLinear, linear, rowDot } from "./ops/linear.ts";
import { moeLinear, moeRoute, moeScale, moeSum } from "./ops/moe.ts";
import { l2Norm, layerNorm, rmsNorm } from "./ops/norm.ts";
import { positionScale } from "./ops/positionScale.ts";
import { RopeAngles, rope } from "./ops/rope.ts";
import { ssm } from "./ops/ssm.ts";
import { wkv7 } from "./ops/wkv7.ts";
import type { Pace } from "./pace.ts";
import type { Sequence } from "./sequence.ts";
import type { CpuWeights } from "./weights.ts";

/** Consecutive rows of one sequence. */
export interface Rows {
  readonly sequence: Sequence;
  readonly tokens: ArrayLike<number>;
  /** Numbers of the rows whose output is wanted, ascending; not empty. */
  readonly outputs: readonly number[];
}

const tokensIn = (x: Float32Array, width: number): number => x.length / width;
const rowsOf = (x: Float32Array, width: number, from: number, to: number): Float32Array =>
  x.subarray(from * width, to * width);

export class GraphRun {
  readonly #graph: Graph;
  readonly #weights: CpuWeights;
  readonly #pace: Pace;
  readonly #angles = new Map<RopeTable, RopeAngles>();
  /** Index of the last op that reads each value: it is dropped afterwards. */
  readonly #lastUse: readonly number[];
  /** How many ops stand before the first that works on selected rows alone. */
  readonly #beforeOutput: number;

  constructor(graph: Graph, weights: CpuWeights, pace: Pace, lastUse: readonly number[]) {
    this.#graph = graph;
    this.#weights = weights;
    this.#pace = pace;
    this.#lastUse = lastUse;
    const first = graph.selected.indexOf(true);
    this.#beforeOutput = first < 0 ? graph.ops.length : first;
  }

  /** The graph's output for the wanted rows, [outputs][width]; undefined when none are wanted. */
  async rows(rows: Rows, signal?: AbortSignal): Promise<Float32Array | undefined> {
    const { ops, output } = this.#graph;
    const wanted = rows.outputs.length > 0;
    const end = wanted ? ops.length : this.#beforeOutput;
    const values: (Float32Array | undefined)[] = [];
    const done: number[][] = ops.map(() => []);
    for (const [ref, last] of this.#lastUse.entries()) done[last].push(ref);
    for (let i = 0; i < end; i++) {
      values[i] = await this.#run(ops[i], i, values, rows, signal);
      for (const ref of done[i]) if (ref !== output) values[ref] = undefined;
      await this.#pace.rest(signal);
    }
    return wanted ? values[output] : undefined;
  }

  async #run(
    op: Op,
    ref: Ref,
    values: readonly (Float32Array | undefined)[],
    rows: Rows,
    signal?: AbortSignal,
  ): Promise<Float32Array> {
    const weights = this.#weights;
    const { sequence, tokens } = rows;
    const value = (x: Ref): Float32Array => values[x] as Float32Array;
    const width = (x: Ref): number => this.#graph.widths[x];
    const first = sequence.computed;
    const positions = (): number[] => Array.from({ length: tokens.length }, (_, i) => first + i);
    const state = (part: { slot: number; slotOffset: number }, size: number): Float32Array =>
      sequence.state(part.slot, part.slotOffset, size);
    switch (op.op) {
      case "embed": {
        const table = weights.matrix(op.table);
        if (op.by === "token") return embed(table, tokens);
        if (op.by === "first") return embed(table, new Uint8Array(tokens.length));
        return embed(
          table,
          positions().map((position) => position + op.offset),
        );
      }
      case "rmsNorm":
        return rmsNorm(value(op.x), weights.optional(op.weight), op.eps, op.group);
      case "layerNorm": {
        const [weight, bias] = [weights.optional(op.weight), weights.optional(op.bias)];
        return layerNorm(value(op.x), weight, bias, op.eps, op.group);
      }
      case "l2Norm":
        return l2Norm(value(op.x), op.eps, op.group);
      case "linear":
        return this.#linear(op, value(op.x), signal);
      case "headLinear":
        return headLinear(value(op.x), weights.matrix(op.weight), op.heads, op.out);
      case "dot":
        return rowDot(value(op.a), value(op.b), op.group);
      case "add":
        return add(value(op.a), value(op.b));
      case "mul":
        return mul(value(op.a), value(op.b), width(op.a) / width(op.b));
      case "addWeight":
        return addWeight(value(op.x), weights.vector(op.weight));
      case "mulWeight":
        return mulWeight(value(op.x), weights.vector(op.weight), op.run);
      case "scale":
        return scale(value(op.x), op.by, op.plus);
      case "clamp":
        return clamp(value(op.x), op.min, op.max);
      case "activation":
        return activation(value(op.x), op.kind, op.params);
      case "gated":
        return gated(value(op.gate), value(op.up), op.kind, op.alpha, op.limit);
      case "softcap":
        return softcap(value(op.x), op.cap);
      case "rope":
        return rope(value(op.x), positions(), op.headWidth, op.start, op.style, this.#angle(op));
      case "positionScale":
        return positionScale(value(op.x), positions(), op.floorScale, op.factor, op.offset);
      case "attention":
        return this.#attention(op, values, sequence, signal);
      case "slice":
        return slice(value(op.x), op.offset, op.width, width(op.x) / op.groups);
      case "concat": {
        const parts = op.parts.map(value);
        return concat(parts, (parts[0].length / width(op.parts[0])) * op.groups);
      }
      case "select":
        return select(value(op.x), rows.outputs, width(op.x));
      case "moeRoute":
        return moeRoute(value(op.logits), op, weights.optional(op.selectionBias));
      case "moeLinear": {
        const weight = weights.matrix(op.weight);
        const [bias, by] = [weights.optional(op.bias), weights.optional(op.scale)];
        const experts = this.#experts(op.route);
        const expert = { ...op, weight, height: weight.rows / experts, bias, scale: by };
        const [x, route] = [value(op.x), value(op.route)];
        const products = op.used * op.out * weight.width;
        return this.#byRows(tokensIn(route, width(op.route)), products, signal, (from, to) => {
          const part = rowsOf(x, width(op.x), from, to);
          const choice = rowsOf(route, width(op.route), from, to);
          return moeLinear(part, choice, op.used, op.perExpert, expert);
        });
      }
      case "moeSum":
        return moeSum(value(op.x), value(op.route), op.used, op.weighted);
      case "moeScale":
        return moeScale(value(op.x), value(op.route), op.used);
      case "conv": {
        const past = state(op, (op.kernel - 1) * width(op.x));
        const [weight, bias] = [weights.vector(op.weight), weights.optional(op.bias)];
        return conv(value(op.x), past, weight, op.kernel, bias);
      }
      case "ssm":
        return ssm(value(op.x), state(op, width(op.x) * op.state), {
          ...op,
          dt: value(op.dt),
          b: value(op.b),
          c: value(op.c),
          a: weights.vector(op.a),
          d: weights.optional(op.d),
          dtBias: weights.optional(op.dtBias),
        });
      case "deltaNet":
        return deltaNet(state(op, op.heads * op.keyWidth * op.valueWidth), {
          ...op,
          q: value(op.q),
          k: value(op.k),
          v: value(op.v),
          g: value(op.g),
          beta: value(op.beta),
        });
      case "shift":
        return shift(value(op.x), state(op, width(op.x)));
      case "wkv7":
        return wkv7(state(op, width(ref) * op.headWidth), op.headWidth, {
          r: value(op.r),
          w: value(op.w),
          k: value(op.k),
          v: value(op.v),
          a: value(op.a),
          b: value(op.b),
        });
    }
  }

  /** A product in slices of columns, between which others get a turn. */
  async #linear(
    op: Extract<Op, { op: "linear" }>,
    x: Float32Array,
    signal?: AbortSignal,
  ): Promise<Float32Array> {
    const weight = this.#weights.matrix(op.weight);
    const bias = this.#weights.optional(op.bias);
    const scaleBy = this.#weights.optional(op.scale)?.[0];
    const rows = x.length / weight.width;
    const y = new Float32Array(rows * op.out);
    const columns = Math.max(1, Math.floor(this.#pace.products / (rows * weight.width)));
    for (let from = 0; from < op.out; from += columns) {
      const range = { first: op.first, out: op.out, from, to: Math.min(op.out, from + columns) };
      linear(x, y, weight, range, bias, scaleBy);
      await this.#pace.rest(signal);
    }
    return y;
  }

  /** An op that goes row by row, between some of which others get a turn. */
  async #byRows(
    rows: number,
    productsPerRow: number,
    signal: AbortSignal | undefined,
    compute: (from: number, to: number) => Float32Array,
  ): Promise<Float32Array> {
    const step = Math.max(1, Math.floor(this.#pace.products / productsPerRow));
    if (step >= rows) return compute(0, rows);
    const parts: Float32Array[] = [];
    for (let from = 0; from < rows; from += step) {
      parts.push(compute(from, Math.min(rows, from + step)));
      await this.#pace.rest(signal);
    }
    return concat(parts, 1);
  }

  async #attention(
    op: Extract<Op, { op: "attention" }>,
    values: readonly (Float32Array | undefined)[],
    sequence: Sequence,
    signal?: AbortSignal,
  ): Promise<Float32Array> {
    const slot = this.#graph.slots[op.slot];
    if (slot.kind !== "kv") throw new TypeError("attention on a state slot");
    const cache = sequence.kv(op.slot);
    const first = sequence.computed;
    if (op.k !== undefined) cache.keys.write(values[op.k] as Float32Array, first);
    if (op.v !== undefined) cache.values.write(values[op.v] as Float32Array, first);
    const inputs = {
      ...op,
      keys: cache.keys.data,
      values: cache.values.data,
      valueStride: cache.values.width,
      kvHeads: slot.heads,
      keyWidth: slot.keyWidth,
      valueWidth: slot.valueWidth,
      sinks: this.#weights.optional(op.sinks),
    };
    const q = values[op.q] as Float32Array;
    const width = op.heads * slot.keyWidth;
    const count = tokensIn(q, width);
    const length = first + count;
    const products = length * op.heads * (slot.keyWidth + slot.valueWidth);
    return this.#byRows(count, products, signal, (from, to) =>
      attention(rowsOf(q, width, from, to), first + from, length, inputs),
    );
  }

  #experts(route: Ref): number {
    const op = this.#graph.ops[route];
    return op.op === "moeRoute" ? op.experts : 1;
  }

  #angle(op: Extract<Op, { op: "rope" }>): RopeAngles {
    let angles = this.#angles.get(op.table);
    if (!angles) {
      angles = new RopeAngles(op.table, this.#weights.optional(op.table.factors));
      this.#angles.set(op.table, angles);
    }
    return angles;
  }
}
