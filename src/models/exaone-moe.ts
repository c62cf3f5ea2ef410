/** EXAONE MoE: norms before the blocks, rotation in the sliding layers only, experts. */
import { denseOrExperts } from "./parts/ffn.ts";
import type { Family } from "./parts/model.ts";
import { transformer } from "./parts/transformer.ts";
import { slidingLayers, slidingRopeOf } from "./parts/window.ts";

export const exaoneMoe: Family = (m) => {
  const rope = slidingRopeOf(m, "neox");
  const sliding = slidingLayers(m.h, 4);
  const window = m.h.integer("attention.sliding_window", 128);
  return transformer(m, {
    rope: (layer) => (sliding[layer] ? rope : undefined),
    attention: (layer) => ({ window: sliding[layer] ? window : 0 }),
    ffn: (x) => denseOrExperts(m, x),
  });
};
