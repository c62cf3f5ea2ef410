/** The frame of a model: embeddings, layers on a residual stream, logits. */
import type { Ref } from "../../graph/ops.ts";
import type { ModelBuilder } from "./model.ts";

/** How often the layers are gone through, and what is done to the stream between two passes. */
export interface Passes {
  readonly count: number;
  readonly between: (x: Ref) => Ref;
}

/** Embeds the tokens, applies each layer to the residual stream, and takes the logits. */
export function decoder(
  m: ModelBuilder,
  layer: (x: Ref, index: number) => Ref,
  head: (x: Ref) => Ref = (x) => logits(m, m.rmsNorm(x, "output_norm")),
  embedding: Ref = m.embed("token_embd"),
  { count, between }: Passes = { count: 1, between: (x) => x },
): Ref {
  let x = embedding;
  for (let pass = 0; pass < count; pass++) {
    if (pass > 0) x = between(x);
    for (const index of m.layers(m.h.layers)) x = layer(x, index);
  }
  return head(m.select(x));
}

/** x plus the learned embedding of its position, where the file has that. */
export function learnedPositions(m: ModelBuilder, x: Ref): Ref {
  if (!m.has("position_embd")) return x;
  const rows = m.shape("position_embd")[1];
  if (m.h.contextLength > rows)
    m.fail(
      `it knows ${rows} positions, fewer than a context of ${m.h.contextLength}`,
      "position_embd",
    );
  return m.add(x, m.embed("position_embd", "position"));
}

/**
 * The output matrix, which is the token table where the file has none; embedding models end before
 * it.
 */
export function logits(m: ModelBuilder, x: Ref): Ref {
  if (m.embeds) return x;
  return m.linear(x, m.has("output") ? "output" : "token_embd");
}
