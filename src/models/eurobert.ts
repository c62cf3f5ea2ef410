/** EuroBERT (https://arxiv.org/abs/2503.05500): Llama as a text encoder. */
import { llamaEncoder } from "./parts/llama-like.ts";
import type { Family } from "./parts/model.ts";

export const eurobert: Family = llamaEncoder("neox");
