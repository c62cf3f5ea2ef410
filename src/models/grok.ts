/** Grok: norms before and after each block, soft caps on scores and logits, experts with GELU. */
import { logits } from "./parts/decoder.ts";
import { experts, gatedFfn } from "./parts/ffn.ts";
import type { Family } from "./parts/model.ts";
import { ropeOf } from "./parts/rope.ts";
import { transformer } from "./parts/transformer.ts";

export const grok: Family = (m) => {
  const { h } = m;
  const logitScale = h.number("logit_scale", 0.5773502691896257);
  const finalCap = h.number("final_logit_softcapping", 0);
  return transformer(m, {
    rope: ropeOf(m, "neox", { betaFast: 8 }),
    embeddingScale: h.number("embedding_scale", 78.38367176906169),
    norms: {
      afterAttention: "attn_output_norm",
      afterFfn: m.has("blk.0.layer_output_norm.weight") ? "layer_output_norm" : "post_ffw_norm",
    },
    attention: () => ({
      scale: h.number("attention.output_scale", 0.08838834764831845),
      softcap: h.number("attn_logit_softcapping", 30),
    }),
    ffn: (x) => {
      const routed = experts(m, x, { kind: "gelu", gate: "softmax", normalize: true });
      if (!m.has("ffn_up")) return routed;
      return m.scale(m.add(gatedFfn(m, x, "gelu"), routed), Math.SQRT1_2);
    },
    logits: (x) => m.softcap(m.scale(logits(m, x), logitScale), finalCap),
  });
};
