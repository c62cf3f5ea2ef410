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
  const logprobOf = logSoftmax(logits);
  const order =
    top > 0
      ? topOrder(logits, logits.length, top, createOrderScratch(logits.length))
      : new Uint32Array(0);
  return {
    logprob: logprobOf(logits[token]),
    top: Array.from(order, (id) => ({ token: id, logprob: logprobOf(logits[id]) })),
  };
}

/** x ↦ ln softmax; the maximum is taken off first, so that large logits lose nothing. */
function logSoftmax(logits: Float32Array): (logit: number) => number {
  let max = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < logits.length; i++) if (logits[i] > max) max = logits[i];
  let sum = 0;
  for (let i = 0; i < logits.length; i++) sum += Math.exp(logits[i] - max);
  const logSum = Math.log(sum);
  return (logit) => logit - max - logSum;
}
