/**
 * ModernBERT (https://arxiv.org/abs/2412.13663): norms before each block, sliding layers, gated
 * GELU.
 */
import { selfAttention } from "./parts/attention.ts";
import { decoder } from "./parts/decoder.ts";
import { gatedFfn } from "./parts/ffn.ts";
import type { Family } from "./parts/model.ts";
import { embeddings } from "./parts/pooling.ts";
import { slidingTurns } from "./parts/window.ts";

export const modernBert: Family = (m) => {
  const { h } = m;
  // Its rerankers take the mean before their hidden layer, which no graph of rows can.
  if (h.integer("pooling_type", 1) === 4) h.fail("pooling_type", 4, "0 to 3 (it cannot rank)");
  const turn = slidingTurns(m, "neox", { every: 3, fullFirst: true, window: 0, base: 10000 });
  const gate = /^(silu|swish|swiglu)$/.test(h.string("hidden_activation", "")) ? "silu" : "gelu";
  const output = decoder(
    m,
    (x, layer) => {
      // The embeddings are normed already: the first layer has no norm of its own.
      const y = m.has("attn_norm") ? m.layerNorm(x, "attn_norm") : x;
      const attended = selfAttention(m, y, {
        layer,
        ...turn(layer),
        windowKind: "symmetric",
        causal: false,
      });
      const after = m.add(x, attended);
      return m.add(after, gatedFfn(m, m.layerNorm(after, "ffn_norm"), gate));
    },
    (x) => m.layerNorm(x, "output_norm"),
    m.layerNorm(m.embed("token_embd"), "token_embd_norm"),
  );
  return embeddings(m, output, "mean");
};
