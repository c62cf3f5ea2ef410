/** What a family file is given: the graph builder and the hyperparameters. */
import type { ModelFile } from "../file/types.ts";
import { GraphBuilder } from "../graph/builder.ts";
import type { Graph, Ref } from "../graph/ops.ts";
import type { Hyper } from "./hyper.ts";
import { decoderEmbeddings } from "./pooling.ts";

/**
 * What a family returns: the last value, and what it is. Logits and causal unless said otherwise.
 */
export type FamilyResult = Ref | ({ output: Ref } & Parameters<GraphBuilder["build"]>[1]);

/** Writes a model's forward pass into the builder. */
export type Family = (m: ModelBuilder) => FamilyResult;

export class ModelBuilder extends GraphBuilder {
  readonly h: Hyper;
  /** The file is an embedding model: it says how its rows are pooled. */
  readonly embeds: boolean;

  constructor(file: ModelFile, h: Hyper) {
    super(file, {
      architecture: h.architecture,
      layers: h.layers,
      trainedContext: h.trainedContext,
      rmsEps: h.number("attention.layer_norm_rms_epsilon", 0),
      normEps: h.number("attention.layer_norm_epsilon", 0),
    });
    this.h = h;
    this.embeds = h.integer("pooling_type", 0) !== 0;
    const [width] = this.shape("token_embd");
    if (width !== h.width)
      h.fail("embedding_length", h.width, `${width}, the width of "token_embd.weight"`);
  }

  finish(result: FamilyResult): Graph {
    if (typeof result !== "number") return this.build(result.output, result);
    if (!this.embeds) return this.build(result, { outputKind: "logits" });
    const end = decoderEmbeddings(this, result);
    return this.build(end.output, end);
  }
}
