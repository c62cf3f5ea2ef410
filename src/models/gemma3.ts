/**
 * Gemma 3 (https://arxiv.org/abs/2503.19786): five sliding layers to each full one, each with
 * a base of its own.
 */
import { logits } from "./parts/decoder.ts";
import { gatedFfn } from "./parts/ffn.ts";
import type { Family } from "./parts/model.ts";
import { embeddings } from "./parts/pooling.ts";
import { ropeOf } from "./parts/rope.ts";
import { transformer } from "./parts/transformer.ts";
import { slidingLayers, slidingRopeOf } from "./parts/window.ts";

/** The forward pass, which the embedding model (bidirectional, without logits) shares. */
export function gemma3Pass(causal: boolean): Family {
  return (m) => {
    const { h } = m;
    const rope = ropeOf(m, "neox");
    const slidingRope = slidingRopeOf(m, "neox", { base: 10000, freqScale: 1 });
    const sliding = slidingLayers(h, 6);
    const window = h.integer("attention.sliding_window", 0);
    // The 27B model (62 layers) scales by the share of the stream instead of by its head width.
    const scaledBy = h.layers === 62 ? h.width / h.heads : h.keyWidth;
    const isSliding = (layer: number): boolean => window > 0 && sliding[layer];
    const finalCap = h.number("final_logit_softcapping", 0);
    const output = transformer(m, {
      rope: (layer) => (isSliding(layer) ? slidingRope : rope),
      embeddingScale: Math.sqrt(h.width),
      // Only tokens are scaled.
      embedding: (x) => m.takeGiven(x),
      norms: { afterAttention: "post_attention_norm", afterFfn: "post_ffw_norm" },
      attention: (layer) => ({
        window: isSliding(layer) ? window : 0,
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
