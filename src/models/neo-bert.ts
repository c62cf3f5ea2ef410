/** NeoBERT (https://arxiv.org/abs/2502.19587): Llama as a text encoder. */
import { llamaEncoder } from "./parts/llama-like.ts";
import type { Family } from "./parts/model.ts";

export const neoBert: Family = llamaEncoder("norm", "enc.output_norm");
