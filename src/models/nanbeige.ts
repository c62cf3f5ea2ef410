/** Nanbeige: Llama. */
import { llamaLike } from "./parts/llama-like.ts";
import type { Family } from "./parts/model.ts";

export const nanbeige: Family = llamaLike("norm");
