/** EXAONE 4: norms after the blocks only; the large model rotates in its sliding layers only. */
import type { Family } from "./parts/model.ts";
import { ropeOf } from "./parts/rope.ts";
import { transformer } from "./parts/transformer.ts";
import { slidingLayers, slidingRopeOf } from "./parts/window.ts";

export const exaone4: Family = (m) => {
  const { h } = m;
  const hybrid = h.layers === 64;
  const rope = (hybrid ? slidingRopeOf : ropeOf)(m, "neox");
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
