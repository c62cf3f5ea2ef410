import { alibiSlope } from "../../graph/alibi.ts";
import type { OpOf } from "../../graph/ops.ts";
import { byRows, rowsOf } from "./by-rows.ts";
import type { OpContext, OpsOf } from "./context.ts";

/** What attention reads besides its queries. */
export interface AttentionInputs {
  /** Keys [positions][kvHeads · keyWidth] and values, of all positions up to the last row's. */
  readonly keys: Float32Array;
  readonly values: Float32Array;
  /** Elements between one position's values and the next. */
  readonly valueStride: number;
  readonly kvHeads: number;
  readonly keyWidth: number;
  readonly valueWidth: number;
  readonly heads: number;
  readonly scale: number;
  readonly softcap: number;
  readonly window: number;
  readonly windowKind: "sliding" | "chunked" | "symmetric";
  readonly sinks?: Float32Array;
  readonly alibi: number;
  readonly causal: boolean;
}

/** Positions [from, to) that position p attends to, of `length`. */
export function attended(
  p: number,
  length: number,
  o: Pick<AttentionInputs, "window" | "windowKind" | "causal">,
): [number, number] {
  const to = o.causal ? p + 1 : length;
  if (o.window === 0) return [0, to];
  switch (o.windowKind) {
    case "sliding":
      return [Math.max(0, p - o.window + 1), to];
    case "chunked":
      return [Math.floor(p / o.window) * o.window, to];
    case "symmetric": {
      const reach = Math.floor(o.window / 2);
      return [Math.max(0, p - reach), Math.min(to, p + reach + 1)];
    }
  }
}

/**
 * softmax(cap(q·kᵀ·scale) + alibi, sink) · v of rows at `first`, `first + 1`, …:
 * [rows][heads · valueWidth]. `length` = number of positions, for bidirectional attention.
 */
export function attention(
  q: Float32Array,
  first: number,
  length: number,
  o: AttentionInputs,
): Float32Array {
  const { heads, kvHeads, keyWidth, valueWidth, keys, values } = o;
  const rows = q.length / (heads * keyWidth);
  const out = new Float32Array(rows * heads * valueWidth);
  const scores = new Float64Array(length);
  const sum = new Float64Array(valueWidth);
  for (let row = 0; row < rows; row++) {
    const p = first + row;
    const [from, to] = attended(p, length, o);
    for (let head = 0; head < heads; head++) {
      const kv = Math.floor(head / (heads / kvHeads));
      const query = (row * heads + head) * keyWidth;
      const slope = alibiSlope(head, heads, o.alibi);
      let max = o.sinks ? o.sinks[head] : Number.NEGATIVE_INFINITY;
      for (let j = from; j < to; j++) {
        const key = (j * kvHeads + kv) * keyWidth;
        let score = 0;
        for (let i = 0; i < keyWidth; i++) score += q[query + i] * keys[key + i];
        score *= o.scale;
        if (o.softcap > 0) score = o.softcap * Math.tanh(score / o.softcap);
        scores[j] = score - slope * Math.abs(p - j);
        max = Math.max(max, scores[j]);
      }
      let total = o.sinks ? Math.exp(o.sinks[head] - max) : 0;
      sum.fill(0);
      for (let j = from; j < to; j++) {
        const weight = Math.exp(scores[j] - max);
        total += weight;
        const value = j * o.valueStride + kv * valueWidth;
        for (let i = 0; i < valueWidth; i++) sum[i] += weight * values[value + i];
      }
      const at = (row * heads + head) * valueWidth;
      for (let i = 0; i < valueWidth; i++) out[at + i] = sum[i] / total;
    }
  }
  return out;
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

export const attentionOps: OpsOf<"attention"> = {
  attention: pacedAttention,
};
