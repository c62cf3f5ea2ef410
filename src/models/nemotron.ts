/** Nemotron 4 and Minitron: GPT-2 with a rotation and squared ReLU. */
import { layerNormed } from "./parts/layer-normed.ts";
import type { Family } from "./parts/model.ts";

export const nemotron: Family = layerNormed({ rope: "neox", kind: "relu2" });
