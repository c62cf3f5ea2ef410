/** Granite: Llama with a factor on embeddings, on attention, on what each block adds, and on the logits. */

import { gatedFfn, logits, ropeOf } from "./blocks.ts";
import type { Family, ModelBuilder } from "./model.ts";
import { denseOrExperts, type Transformer, transformer } from "./transformer.ts";

/** The factors, and the shared expert beside the experts. */
export function graniteParts(m: ModelBuilder): Transformer {
  const logitScale = m.h.number("logit_scale", 1) || 1;
  return {
    embeddingScale: m.h.number("embedding_scale", 1) || 1,
    residualScale: m.h.number("residual_scale", 1) || 1,
    ffn: (x) => {
      const y = denseOrExperts(m, x);
      return m.has("ffn_up_shexp") ? m.add(y, gatedFfn(m, x, "silu", "_shexp")) : y;
    },
    logits: (x) => m.scale(logits(m, x), 1 / logitScale),
  };
}

export const granite: Family = (m) => {
  const rope = ropeOf(m, "norm");
  return transformer(m, { ...graniteParts(m), rope: () => rope });
};
