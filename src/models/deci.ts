/** DeciLM and Llama Nemotron: Llama whose layers differ in their heads. */
import { llamaLike } from "./parts/llama-like.ts";
import type { Family } from "./parts/model.ts";

export const deci: Family = llamaLike("norm");
