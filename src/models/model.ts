/** What a family file is given: the graph builder and the hyperparameters. */
import type { GgufFile } from "../gguf/types.ts";
import { GraphBuilder } from "../graph/builder.ts";
import type { Graph, Ref } from "../graph/ops.ts";
import type { Hyper } from "./hyper.ts";

/** What a family returns: the last value, and what it is. Logits and causal unless said otherwise. */
export type FamilyResult = Ref | ({ output: Ref } & Parameters<GraphBuilder["build"]>[1]);

/** Writes a model's forward pass into the builder. */
export type Family = (m: ModelBuilder) => FamilyResult;

export class ModelBuilder extends GraphBuilder {
  readonly h: Hyper;

  constructor(file: GgufFile, h: Hyper) {
    super(file, {
      architecture: h.architecture,
      layers: h.layers,
      trainedContext: h.trainedContext,
      rmsEps: h.number("attention.layer_norm_rms_epsilon", 0),
      normEps: h.number("attention.layer_norm_epsilon", 0),
    });
    this.h = h;
  }

  finish(result: FamilyResult): Graph {
    return typeof result === "number"
      ? this.build(result, { outputKind: "logits" })
      : this.build(result.output, result);
  }
}
