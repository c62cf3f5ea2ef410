import { createOrderScratch, topOrder } from "./order.ts";

export interface Logprob {
  readonly token: number;
  /** Natural logarithm of the probability. */
  readonly logprob: number;
}

/** Log-probabilities of one row of logits before any sampler. */
export interface Logprobs {
  /** Of the token asked for. */
  readonly logprob: number;
  /** The most likely tokens, the likeliest first, equal ones by id. */
  readonly top: readonly Logprob[];
}

/** Log-softmax of `logits` in double precision, for one token and the `top` most likely ones. */
export function logprobs(logits: Float32Array, token: number, top: number): Logprobs {
  const [max, logSum] = partsOf(logits);
  const order =
    top > 0
      ? topOrder(logits, logits.length, top, createOrderScratch(logits.length))
      : new Uint32Array(0);
  return {
    logprob: logits[token] - max - logSum,
    top: Array.from(order, (id) => ({ token: id, logprob: logits[id] - max - logSum })),
  };
}

/** ln Σ exp(logits), in double precision. */
export function logSumExp(logits: Float32Array): number {
  const [max, logSum] = partsOf(logits);
  return max + logSum;
}

/** The maximum, and ln Σ exp(logit − maximum): apart, so that large logits lose nothing. */
function partsOf(logits: Float32Array): [max: number, logSum: number] {
  let max = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < logits.length; i++) if (logits[i] > max) max = logits[i];
  let sum = 0;
  for (let i = 0; i < logits.length; i++) sum += Math.exp(logits[i] - max);
  return [max, Math.log(sum)];
}
