/** Arcee Trinity: norms around each block, gated heads, rotation in the sliding layers only. */
import { denseOrExperts, expertGate } from "./parts/ffn.ts";
import type { Family } from "./parts/model.ts";
import { transformer } from "./parts/transformer.ts";
import { slidingTurns } from "./parts/window.ts";

export const afmoe: Family = (m) => {
  const { h } = m;
  const turn = slidingTurns(m, "neox", { every: 4, window: 0 });
  const gate = expertGate(m, 2);
  return transformer(m, {
    embeddingScale: Math.sqrt(h.width),
    norms: { afterAttention: "post_attention_norm", afterFfn: "post_ffw_norm" },
    attention: (layer) => ({
      ...turn(layer),
      // Every fourth layer knows no positions, whichever layers slide.
      ...((layer + 1) % 4 === 0 ? { rope: undefined } : {}),
      joined: (x, y) => m.mul(x, m.activation(m.linear(y, "attn_gate"), "sigmoid")),
    }),
    ffn: (x) => denseOrExperts(m, x, { gate }),
  });
};
