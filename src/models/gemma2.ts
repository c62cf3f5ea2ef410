/**
 * Gemma 2 (https://arxiv.org/abs/2408.00118): sliding layers in turn, soft caps, norms after each
 * block.
 */
import { logits } from "./parts/decoder.ts";
import { gatedFfn } from "./parts/ffn.ts";
import type { Family } from "./parts/model.ts";
import { transformer } from "./parts/transformer.ts";
import { slidingTurns } from "./parts/window.ts";

export const gemma2: Family = (m) => {
  const { h } = m;
  const turn = slidingTurns(m, "neox", { every: 2, window: 4096 });
  // The 27B model (46 layers) scales by the share of the stream instead of by its head width.
  const scaledBy = h.layers === 46 ? h.width / h.heads : h.keyWidth;
  const finalCap = h.number("final_logit_softcapping", 30);
  return transformer(m, {
    embeddingScale: Math.sqrt(h.width),
    norms: { afterAttention: "post_attention_norm", afterFfn: "post_ffw_norm" },
    attention: (layer) => ({
      ...turn(layer),
      scale: 1 / Math.sqrt(scaledBy),
      softcap: h.number("attn_logit_softcapping", 50),
    }),
    ffn: (x) => gatedFfn(m, x, "gelu"),
    logits: (x) => m.softcap(logits(m, x), finalCap),
  });
};
