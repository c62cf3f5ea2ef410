/** RND1: Qwen3 with experts and bidirectional attention, for text made by masked diffusion. */
import { maskedLlama } from "./parts/llama-like.ts";
import type { Family } from "./parts/model.ts";

export const rnd1: Family = maskedLlama("neox");
