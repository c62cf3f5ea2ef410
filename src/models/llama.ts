/** Llama (https://arxiv.org/abs/2302.13971) and the many models with the same forward pass. */
import { type Rope, ropeOf } from "./blocks.ts";
import type { Family } from "./model.ts";
import { transformer } from "./transformer.ts";

/** Attention and gated feed-forward (or a mixture of experts) after RMS norms, each added to the stream. */
export function llama(style: Rope["style"]): Family {
  return (m) => {
    const rope = ropeOf(m, style);
    return transformer(m, { rope: () => rope });
  };
}
