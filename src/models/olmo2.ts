/**
 * OLMo 2 (https://arxiv.org/abs/2501.00656): norms after the blocks only, and over all query and
 * key heads.
 */
import type { Family } from "./parts/model.ts";
import { ropeOf } from "./parts/rope.ts";
import { transformer } from "./parts/transformer.ts";
import { slidingLayers, slidingRopeOf, unstretched } from "./parts/window.ts";

export const olmo2: Family = (m) => {
  const { h } = m;
  const rope = ropeOf(m, "neox");
  const window = h.integer("attention.sliding_window", 0);
  const sliding = slidingLayers(h, 4).map((flag) => flag && window > 0);
  // OLMo 3 stretches the rotation of its full layers only.
  const slidingRope = slidingRopeOf(m, "neox", unstretched);
  return transformer(m, {
    rope: (layer) => (sliding[layer] ? slidingRope : rope),
    norms: {
      attention: null,
      afterAttention: "post_attention_norm",
      ffn: null,
      afterFfn: "post_ffw_norm",
    },
    attention: (layer) => ({
      window: sliding[layer] ? window : 0,
      norm: (x, stem) => m.rmsNorm(x, stem),
    }),
  });
};
