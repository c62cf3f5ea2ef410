/** Orion: layer norms with biases around Llama's attention and feed-forward. */
import { layerNormed } from "./parts/layer-normed.ts";
import type { Family } from "./parts/model.ts";

export const orion: Family = layerNormed({ rope: "neox", kind: "silu", gated: true });
