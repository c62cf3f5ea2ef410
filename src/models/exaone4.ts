/** EXAONE 4: norms after the blocks only; the large model rotates in its sliding layers only. */
import { ropeOf } from "./blocks.ts";
import type { Family } from "./model.ts";
import { denseOrExperts, transformer } from "./transformer.ts";
import { slidingLayers } from "./window.ts";

/** EXAONE MoE: norms before the blocks, rotation in the sliding layers only, experts. */
export const exaoneMoe: Family = (m) => {
  const rope = ropeOf(m, "neox");
  const sliding = slidingLayers(m.h, 4);
  const window = m.h.integer("attention.sliding_window", 128);
  return transformer(m, {
    rope: (layer) => (sliding[layer] ? rope : undefined),
    attention: (layer) => ({ window: sliding[layer] ? window : 0 }),
    ffn: (x) => denseOrExperts(m, x),
  });
};

export const exaone4: Family = (m) => {
  const { h } = m;
  const rope = ropeOf(m, "neox");
  const hybrid = h.layers === 64;
  const sliding = slidingLayers(h, 4).map((flag) => flag && hybrid);
  const window = h.integer("attention.sliding_window", hybrid ? 4096 : 0);
  return transformer(m, {
    rope: (layer) => (sliding[layer] || !hybrid ? rope : undefined),
    norms: {
      attention: null,
      afterAttention: "post_attention_norm",
      ffn: null,
      afterFfn: "post_ffw_norm",
    },
    attention: (layer) => ({ window: sliding[layer] ? window : 0 }),
  });
};
