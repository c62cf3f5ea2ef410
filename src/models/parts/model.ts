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
  const epsilon = (name: string, fallback?: number): number => {
    const value = h.number(`attention.${name}`, fallback);
    return value >= 0 ? value : h.fail(`attention.${name}`, value, "at least 0");
  };
  const builder = graphBuilder(file, {
    architecture: h.architecture,
    layers: h.layers,
    trainedContext: h.trainedContext,
    // Asked for by the norms: the file of a model with such norms must have it.
    get rmsEps() {
      // llama.cpp 0.5.0 does not ask for that of Qwen2-VL.
      return epsilon("layer_norm_rms_epsilon", h.architecture === "qwen2vl" ? 0 : undefined);
    },
    get normEps() {
      return epsilon("layer_norm_epsilon");
    },
    causal: h.boolean("attention.causal", true),
  });
  const embeds = h.integer("pooling_type", 0) !== 0;
  const [width, rows] = builder.shape("token_embd");
  const tokens = file.metadata.get("tokenizer.ggml.tokens");
  if (Array.isArray(tokens) && tokens.length !== rows)
    builder.fail(
      `"token_embd.weight" has ${rows} rows for the ${tokens.length} tokens of "tokenizer.ggml.tokens"`,
      "token_embd",
    );
  if (width !== h.width)
    h.fail("embedding_length", h.width, `${width}, the width of "token_embd.weight"`);
  return { ...builder, h, embeds };
}
