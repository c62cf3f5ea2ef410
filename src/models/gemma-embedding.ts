/** EmbeddingGemma (https://arxiv.org/abs/2509.20354): Gemma 3 with bidirectional attention. */
import { gemma3Pass } from "./gemma3.ts";
import type { Family } from "./parts/model.ts";

export const gemmaEmbedding: Family = gemma3Pass(false);
