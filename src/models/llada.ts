/** LLaDA (https://arxiv.org/abs/2502.09992): Llama with bidirectional attention (masked diffusion). */
import { maskedLlama } from "./parts/llama-like.ts";
import type { Family } from "./parts/model.ts";

export const llada: Family = maskedLlama("norm");

/** With experts whose weights are not normalised. */
export const lladaMoe: Family = maskedLlama("neox", false);
