/** Ends of embedding models. */
import type { Graph, Ref } from "../graph/ops.ts";
import type { FamilyResult, ModelBuilder } from "./model.ts";

const kinds = ["none", "mean", "cls", "last", "rank"] as const;

/** The normed rows as embeddings, pooled as the file says. */
export function embeddings(
  m: ModelBuilder,
  output: Ref,
  causal = false,
  fallback: NonNullable<Graph["pooling"]> = "none",
): FamilyResult {
  const number = m.h.integer("pooling_type", kinds.indexOf(fallback));
  const pooling = kinds[number] ?? m.h.fail("pooling_type", number, "0 to 4");
  return { output, outputKind: "embeddings", pooling, causal };
}
