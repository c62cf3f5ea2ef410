/** StarCoder (https://arxiv.org/abs/2305.06161): GPT-2 with one key/value head. */
import { layerNormed } from "./parts/layer-normed.ts";
import type { Family } from "./parts/model.ts";

export const starcoder: Family = layerNormed();

/** StarCoder 2 (https://arxiv.org/abs/2402.19173): with a rotation instead of learned positions. */
export const starcoder2: Family = layerNormed({ rope: "neox" });
