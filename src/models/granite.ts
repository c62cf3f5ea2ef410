/**
 * Granite and MiniCPM: Llama with a factor on embeddings, attention, what each block adds, and
 * logits.
 */
import { logits, ropeOf } from "./blocks.ts";
import type { Family, ModelBuilder } from "./model.ts";
import { denseOrExperts, type Transformer, transformer } from "./transformer.ts";
import { slidingLayers } from "./window.ts";

/** The factors of the embeddings, of each block's result, and what divides the logits. */
export interface Factors {
  readonly embedding: number;
  readonly residual: number;
  readonly logits: number;
}

export function graniteParts(
  m: ModelBuilder,
  fallback: Factors = { embedding: 1, residual: 1, logits: 1 },
): Required<Pick<Transformer, "embeddingScale" | "residualScale" | "ffn" | "logits">> {
  const factor = (key: string, value: number): number => m.h.number(key, value) || 1;
  const logitScale = factor("logit_scale", fallback.logits);
  return {
    embeddingScale: factor("embedding_scale", fallback.embedding),
    residualScale: factor("residual_scale", fallback.residual),
    ffn: (x) => denseOrExperts(m, x, { normalize: true }),
    logits: (x) => m.scale(logits(m, x), 1 / logitScale),
  };
}

export const granite: Family = (m) => {
  const rope = m.h.boolean("rope.scaling.finetuned", true) ? ropeOf(m, "norm") : undefined;
  return transformer(m, { ...graniteParts(m), rope: () => rope });
};

/** With sliding layers where the file says, and attention sinks. */
export const graniteSliding: Family = (m) => {
  const rope = ropeOf(m, "norm");
  const window = m.h.integer("attention.sliding_window");
  const sliding = slidingLayers(m.h, 4);
  return transformer(m, {
    ...graniteParts(m),
    rope: () => rope,
    attention: (layer) => ({ sinks: "attn_sinks", window: sliding[layer] ? window : 0 }),
  });
};

/** The first MiniCPM files do not name their factors. */
export const minicpm: Family = (m) => {
  const rope = ropeOf(m, "norm");
  const { width, layers } = m.h;
  const usual = { embedding: 12, residual: 1.4 / Math.sqrt(layers), logits: width / 256 };
  return transformer(m, { ...graniteParts(m, usual), rope: () => rope });
};
