/** BLOOM (https://arxiv.org/abs/2211.05100): GPT-2 with ALiBi and a norm of the embeddings. */
import { layerNormed } from "./parts/layer-normed.ts";
import type { Family } from "./parts/model.ts";

export const bloom: Family = layerNormed({ alibi: 8 });
