/** Dream: Qwen2 with bidirectional attention, for text made by masked diffusion. */
import { maskedLlama } from "./parts/llama-like.ts";
import type { Family } from "./parts/model.ts";

export const dream: Family = maskedLlama("neox");
