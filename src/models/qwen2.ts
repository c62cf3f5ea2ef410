/** Qwen2 (https://arxiv.org/abs/2407.10671): Llama with biases of queries, keys and values. */
import { llamaLike } from "./parts/llama-like.ts";
import type { Family } from "./parts/model.ts";

export const qwen2: Family = llamaLike("neox");

/**
 * With a shared expert behind a gate of its own, beside routed ones whose weights are not
 * normalised.
 */
export const qwen2moe: Family = llamaLike("neox", { normalize: false });
