/**
 * Gemma 2 (https://arxiv.org/abs/2408.00118): sliding layers in turn, soft caps, norms after each
 * block.
 */
import { gatedFfn, logits, ropeOf } from "./blocks.ts";
import type { Family } from "./model.ts";
import { transformer } from "./transformer.ts";
import { slidingLayers } from "./window.ts";

export const gemma2: Family = (m) => {
  const { h } = m;
  const rope = ropeOf(m, "neox");
  const sliding = slidingLayers(h, 2);
  const window = h.integer("attention.sliding_window", 4096);
  // The 27B model (46 layers) scales by the share of the stream instead of by its head width.
  const scaledBy = h.layers === 46 ? h.width / h.heads : h.keyWidth;
  const finalCap = h.number("final_logit_softcapping", 30);
  return transformer(m, {
    rope: () => rope,
    embeddingScale: Math.sqrt(h.width),
    norms: { afterAttention: "post_attention_norm", afterFfn: "post_ffw_norm" },
    attention: (layer) => ({
      window: sliding[layer] ? window : 0,
      scale: 1 / Math.sqrt(scaledBy),
      softcap: h.number("attn_logit_softcapping", 50),
    }),
    ffn: (x) => gatedFfn(m, x, "gelu"),
    logits: (x) => m.softcap(logits(m, x), finalCap),
  });
};
