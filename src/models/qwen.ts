/** Qwen (https://arxiv.org/abs/2309.16609): Llama with biases of queries, keys and values. */
import { llamaLike } from "./parts/llama-like.ts";
import type { Family } from "./parts/model.ts";

export const qwen: Family = llamaLike("neox");
