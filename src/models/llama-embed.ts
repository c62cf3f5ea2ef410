/** Llama as an encoder: rows attend both ways, and the normed rows are the result. */
import { ropeOf } from "./blocks.ts";
import type { Family } from "./model.ts";
import { embeddings } from "./pooling.ts";
import { transformer } from "./transformer.ts";

export const llamaEmbed: Family = (m) => {
  const rope = ropeOf(m, "norm");
  const output = transformer(m, {
    rope: () => rope,
    attention: () => ({ causal: false }),
    logits: (x) => x,
  });
  return embeddings(m, output);
};
