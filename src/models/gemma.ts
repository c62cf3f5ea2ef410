/** Gemma (https://arxiv.org/abs/2403.08295): scaled embeddings and a GELU gate. */
import { gatedFfn } from "./parts/ffn.ts";
import type { Family } from "./parts/model.ts";
import { transformer } from "./parts/transformer.ts";

export const gemma: Family = (m) =>
  transformer(m, {
    rope: "neox",
    embeddingScale: Math.sqrt(m.h.width),
    ffn: (x) => gatedFfn(m, x, "gelu"),
  });
