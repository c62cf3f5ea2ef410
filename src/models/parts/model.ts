/** What a family is given: the graph's builder and the hyperparameters. */
import type { ModelFile } from "../../file/types.ts";
import { type GraphBuilder, graphBuilder } from "../../graph/builder.ts";
import type { Ref } from "../../graph/ops.ts";
import type { GraphEnd } from "../../graph/tape.ts";
import { Hyper } from "./hyper.ts";

export interface ModelBuilder extends GraphBuilder {
  readonly h: Hyper;
  /** The file is an embedding model: it says how its rows are pooled. */
  readonly embeds: boolean;
}

/** What a family returns: the last value, and what it is. Logits and causal unless said otherwise. */
export type FamilyResult = Ref | ({ readonly output: Ref } & GraphEnd);

/** Writes a model's forward pass into the builder. */
export type Family = (m: ModelBuilder) => FamilyResult;

/**
 * The builder of a file's model, refused where the token table has not the width that the file
 * says.
 */
export function modelBuilder(file: ModelFile, contextLength: number): ModelBuilder {
  const h = new Hyper(file, contextLength);
  const builder = graphBuilder(file, {
    architecture: h.architecture,
    layers: h.layers,
    trainedContext: h.trainedContext,
    rmsEps: h.number("attention.layer_norm_rms_epsilon", 0),
    normEps: h.number("attention.layer_norm_epsilon", 0),
    causal: h.boolean("attention.causal", true),
  });
  const embeds = h.integer("pooling_type", 0) !== 0;
  const [width] = builder.shape("token_embd");
  if (width !== h.width)
    h.fail("embedding_length", h.width, `${width}, the width of "token_embd.weight"`);
  return { ...builder, h, embeds };
}
