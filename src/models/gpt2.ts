/** GPT-2: layer norms with biases, learned positions. */
import { layerNormed } from "./parts/layer-normed.ts";
import type { Family } from "./parts/model.ts";

export const gpt2: Family = layerNormed();
