/** Arcee Trinity: norms around each block, gated heads, rotation in the sliding layers only. */
import { denseOrExperts, expertGate } from "./parts/ffn.ts";
import type { Family } from "./parts/model.ts";
import { ropeOf } from "./parts/rope.ts";
import { transformer } from "./parts/transformer.ts";
import { slidingLayers, slidingRopeOf } from "./parts/window.ts";

export const afmoe: Family = (m) => {
  const { h } = m;
  const rope = ropeOf(m, "neox");
  const slidingRope = slidingRopeOf(m, "neox");
  const window = h.integer("attention.sliding_window", 0);
  const sliding = slidingLayers(h, 4).map((flag) => flag && window > 0);
  const gate = expertGate(m, 2);
  return transformer(m, {
    // Every fourth layer knows no positions, whichever layers slide.
    rope: (layer) => {
      if ((layer + 1) % 4 === 0) return undefined;
      return sliding[layer] ? slidingRope : rope;
    },
    embeddingScale: Math.sqrt(h.width),
    norms: { afterAttention: "post_attention_norm", afterFfn: "post_ffw_norm" },
    attention: (layer) => ({
      window: sliding[layer] ? window : 0,
      joined: (x, y) => m.mul(x, m.activation(m.linear(y, "attn_gate"), "sigmoid")),
    }),
    ffn: (x) => denseOrExperts(m, x, { gate }),
  });
};
