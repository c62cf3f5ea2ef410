/** Llama (https://arxiv.org/abs/2302.13971) and the many models with the same forward pass. */
import type { Ref } from "../graph/ops.ts";
import { type Rope, ropeOf } from "./blocks.ts";
import type { Family } from "./model.ts";
import { embeddings } from "./pooling.ts";
import { denseOrExperts, transformer } from "./transformer.ts";

/**
 * Attention and gated feed-forward (or a mixture of experts) after RMS norms, each added to the
 * stream.
 */
export function llama(style: Rope["style"]): Family {
  return (m) => {
    const rope = ropeOf(m, style);
    return transformer(m, { rope: () => rope });
  };
}

/** The same with rows that attend both ways, for models that fill in masked tokens. */
export function bothWays(style: Rope["style"], normalize = true): Family {
  return (m) => {
    const rope = ropeOf(m, style);
    const attention = () => ({ causal: false });
    const ffn = (x: Ref): Ref => denseOrExperts(m, x, { normalize });
    const output = transformer(m, { rope: () => rope, attention, ffn });
    return { output, outputKind: "logits", causal: false };
  };
}

/** The same as an encoder: rows attend both ways, and the normed rows are the result. */
export function llamaEncoder(style: Rope["style"], outputNorm = "output_norm"): Family {
  return (m) => {
    const rope = ropeOf(m, style);
    const attention = () => ({ causal: false });
    const norms = { output: outputNorm };
    const rows = transformer(m, { rope: () => rope, attention, norms, logits: (x) => x });
    return embeddings(m, rows);
  };
}
