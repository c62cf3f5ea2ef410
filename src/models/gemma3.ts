/**
 * Gemma 3 (https://arxiv.org/abs/2503.19786): five sliding layers to each full one, each with
 * a base of its own.
 */
import { logits } from "./parts/decoder.ts";
import { gatedFfn } from "./parts/ffn.ts";
import type { Family } from "./parts/model.ts";
import { embeddings } from "./parts/pooling.ts";
import { transformer } from "./parts/transformer.ts";
import { slidingTurns } from "./parts/window.ts";

/** The forward pass, which the embedding model (bidirectional, without logits) shares. */
export function gemma3Pass(causal: boolean): Family {
  return (m) => {
    const { h } = m;
    const turn = slidingTurns(m, "neox", { every: 6, window: 0, base: 10000, freqScale: 1 });
    // The 27B model (62 layers) scales by the share of the stream instead of by its head width.
    const scaledBy = h.layers === 62 ? h.width / h.heads : h.keyWidth;
    const finalCap = h.number("final_logit_softcapping", 0);
    const output = transformer(m, {
      embeddingScale: Math.sqrt(h.width),
      // Only tokens are scaled.
      embedding: (x) => m.takeGiven(x),
      norms: { afterAttention: "post_attention_norm", afterFfn: "post_ffw_norm" },
      attention: (layer) => ({
        ...turn(layer),
        windowKind: causal ? "sliding" : "symmetric",
        scale: 1 / Math.sqrt(scaledBy),
        causal: causal ? undefined : false,
      }),
      ffn: (x) => gatedFfn(m, x, "gelu"),
      logits: (x) => (causal ? m.softcap(logits(m, x), finalCap) : x),
    });
    return causal ? output : embeddings(m, output);
  };
}

export const gemma3: Family = gemma3Pass(true);
