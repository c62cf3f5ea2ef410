/** XVERSE: Llama. */
import { llamaLike } from "./parts/llama-like.ts";
import type { Family } from "./parts/model.ts";

export const xverse: Family = llamaLike("norm");
