/**
 * The tokens that may still come, as plain arrays. Samplers change them in place: they lower
 * logits, or drop candidates. Logits are f32 as in llama.cpp; sums are taken in double precision.
 *
 * Two orders exist and nothing else: by ascending id, or, when `sorted`, by descending logit with
 * equal logits by ascending id. So ties never depend on the way that a sampler took.
 */
import { createOrderScratch, type OrderScratch, topOrder } from "./order.ts";

export interface Candidates {
  readonly ids: Int32Array;
  readonly logits: Float32Array;
  /** Scratch of the sampler at work; {@link softmax} fills it, nobody relies on it later. */
  readonly probs: Float32Array;
  /** Candidates left: the first entries of the arrays. */
  size: number;
  sorted: boolean;
  readonly scratch: OrderScratch;
}

/** Room for a vocabulary; 24 bytes a token. */
export function createCandidates(vocabulary: number): Candidates {
  return {
    ids: new Int32Array(vocabulary),
    logits: new Float32Array(vocabulary),
    probs: new Float32Array(vocabulary),
    size: 0,
    sorted: false,
    scratch: createOrderScratch(vocabulary),
  };
}

/** All tokens with these logits (copied); NaN counts as -Infinity, so that it is never sampled. */
export function loadLogits(c: Candidates, logits: Float32Array): void {
  for (let id = 0; id < logits.length; id++) {
    c.ids[id] = id;
    const logit = logits[id];
    c.logits[id] = Number.isNaN(logit) ? Number.NEGATIVE_INFINITY : logit;
  }
  c.size = logits.length;
  c.sorted = false;
}

/** The highest logit; -Infinity when no candidate is possible. */
export function highest(c: Candidates): number {
  if (c.sorted && c.size > 0) return c.logits[0];
  let max = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < c.size; i++) if (c.logits[i] > max) max = c.logits[i];
  return max;
}

/** exp(logit − max); 1 for the maximum itself, which may be infinite. */
export function weight(logit: number, max: number): number {
  return logit === max ? 1 : Math.exp(logit - max);
}

/** Fills `probs` with the softmax of the candidates left. */
export function softmax(c: Candidates): void {
  const max = highest(c);
  let sum = 0;
  for (let i = 0; i < c.size; i++) sum += weight(c.logits[i], max);
  for (let i = 0; i < c.size; i++) c.probs[i] = weight(c.logits[i], max) / sum;
}

/** Positions of the k best candidates in descending order; a view that the next ordering overwrites. */
export function best(c: Candidates, k: number): Uint32Array {
  if (!c.sorted) return topOrder(c.logits, c.size, k, c.scratch);
  const order = c.scratch.first.subarray(0, Math.min(k, c.size));
  for (let i = 0; i < order.length; i++) order[i] = i;
  return order;
}

/** Keeps the candidates at these positions, in this order, which is descending. */
export function keepSorted(c: Candidates, positions: Uint32Array): void {
  if (!c.sorted) gather(c, positions);
  c.size = positions.length;
  c.sorted = true;
}

/** Keeps the candidates for which `test(position)` holds, in the order that they have. */
export function keepWhere(c: Candidates, test: (position: number) => boolean): void {
  let size = 0;
  for (let i = 0; i < c.size; i++) {
    if (!test(i)) continue;
    c.ids[size] = c.ids[i];
    c.logits[size] = c.logits[i];
    size++;
  }
  c.size = size;
}

/** Puts the candidates back into the order of ids, before a sampler changes single logits. */
export function orderById(c: Candidates): void {
  if (!c.sorted) return;
  const positions = c.scratch.first.subarray(0, c.size);
  for (let i = 0; i < c.size; i++) positions[i] = i;
  positions.sort((a, b) => c.ids[a] - c.ids[b]);
  gather(c, positions);
  c.sorted = false;
}

/** Position of a token among candidates in the order of ids, or -1. */
export function find(c: Candidates, id: number): number {
  let low = 0;
  let high = c.size;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (c.ids[middle] < id) low = middle + 1;
    else high = middle;
  }
  return low < c.size && c.ids[low] === id ? low : -1;
}

/** Moves the candidates at `positions` (a view into `scratch.first`) to the front, in that order. */
function gather(c: Candidates, positions: Uint32Array): void {
  const { floats, second } = c.scratch;
  for (let i = 0; i < positions.length; i++) {
    floats[i] = c.logits[positions[i]];
    second[i] = c.ids[positions[i]];
  }
  c.logits.set(floats.subarray(0, positions.length));
  c.ids.set(second.subarray(0, positions.length));
}
