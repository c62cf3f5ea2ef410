/** Llama's forward pass (https://arxiv.org/abs/2302.13971), which many models share. */
import type { Ref } from "../../graph/ops.ts";
import { denseOrExperts, type Experts } from "./ffn.ts";
import type { Family } from "./model.ts";
import { embeddings } from "./pooling.ts";
import type { Rope } from "./rope.ts";
import { transformer } from "./transformer.ts";

/** Attention and gated feed-forward (or a mixture of experts) after RMS norms. */
export function llamaLike(style: Rope["style"], experts: Experts = { normalize: true }): Family {
  return (m) => transformer(m, { rope: style, ffn: (x) => denseOrExperts(m, x, experts) });
}

/** The same with bidirectional attention, for models that fill in masked tokens. */
export function maskedLlama(style: Rope["style"], normalize = true): Family {
  return (m) => {
    const attention = () => ({ causal: false });
    const ffn = (x: Ref): Ref => denseOrExperts(m, x, { normalize });
    const output = transformer(m, { rope: style, attention, ffn });
    return { output, outputKind: "logits", causal: false };
  };
}

/** The same as an encoder: attention is bidirectional, and the normed rows are the result. */
export function llamaEncoder(style: Rope["style"], outputNorm = "output_norm"): Family {
  return (m) => {
    const attention = () => ({ causal: false });
    const norms = { output: outputNorm };
    const rows = transformer(m, { rope: style, attention, norms, logits: (x) => x });
    return embeddings(m, rows);
  };
}
