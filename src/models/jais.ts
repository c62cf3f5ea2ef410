/** Jais: GPT-2 with ALiBi, a gate, and scores divided by the head width. */
import { layerNormed } from "./parts/layer-normed.ts";
import type { Family } from "./parts/model.ts";

export const jais: Family = layerNormed({
  kind: "silu",
  gated: true,
  alibi: "named",
  byWidth: true,
});

/** Jais 2: GPT-2 with a rotation and squared ReLU. */
export const jais2: Family = layerNormed({ rope: "neox", kind: "relu2" });
