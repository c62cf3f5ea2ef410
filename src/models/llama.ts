/** Llama (https://arxiv.org/abs/2302.13971), dense and with experts as in Mixtral. */
import { llamaEncoder, llamaLike } from "./parts/llama-like.ts";
import type { Family } from "./parts/model.ts";

export const llama: Family = llamaLike("norm");

/** Llama as a text encoder. */
export const llamaEmbed: Family = llamaEncoder("norm");
