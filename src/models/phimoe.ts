/** Phi-3.5 MoE: Phi-3 with a mixture of experts. */
import { llamaLike } from "./parts/llama-like.ts";
import type { Family } from "./parts/model.ts";

export const phimoe: Family = llamaLike("neox");
