/** Phi-3 (https://arxiv.org/abs/2404.14219): Llama with LongRoPE and fused matrices. */
import { llamaLike } from "./parts/llama-like.ts";
import type { Family } from "./parts/model.ts";

export const phi3: Family = llamaLike("neox");
