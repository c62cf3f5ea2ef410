/**
 * OpenELM (https://arxiv.org/abs/2404.14619): Llama with head norms, whose layers differ in their
 * heads.
 */
import { llamaLike } from "./parts/llama-like.ts";
import type { Family } from "./parts/model.ts";

export const openelm: Family = llamaLike("neox");
