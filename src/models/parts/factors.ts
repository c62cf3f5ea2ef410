/** Factors on embeddings, on what each block adds, and on logits, as in Granite and MiniCPM. */
import { logits } from "./decoder.ts";
import { denseOrExperts } from "./ffn.ts";
import type { ModelBuilder } from "./model.ts";
import type { Transformer } from "./transformer.ts";

/** The factors of the embeddings, of each block's result, and what divides the logits. */
export interface Factors {
  readonly embedding: number;
  readonly residual: number;
  /** Undefined: the file has to name it. */
  readonly logits: number | undefined;
}

/** The parts of a transformer with the factors that the file names; 0 or none means `fallback`. */
export function factors(
  m: ModelBuilder,
  fallback: Factors = { embedding: 1, residual: 1, logits: 1 },
): Required<Pick<Transformer, "embeddingScale" | "residualScale" | "ffn" | "logits">> {
  const named = (key: string, value: number | undefined): number => m.h.number(key, value) || 1;
  const logitScale = named("logit_scale", fallback.logits);
  return {
    embeddingScale: named("embedding_scale", fallback.embedding),
    residualScale: named("residual_scale", fallback.residual),
    ffn: (x) => denseOrExperts(m, x, { normalize: true }),
    logits: (x) => m.scale(logits(m, x), 1 / logitScale),
  };
}
