/** Ends of models: logits, embeddings, scores of rerankers. */
import type { Graph } from "../../graph/graph.ts";
import type { Ref } from "../../graph/ops.ts";
import type { Hyper } from "./hyper.ts";
import type { FamilyResult, ModelBuilder } from "./model.ts";

type Pooling = NonNullable<Graph["pooling"]>;

/** In the order of `pooling_type`'s numbers. */
const kinds: readonly Pooling[] = ["none", "mean", "cls", "last", "rank"];

/** How the file says that rows become one vector. */
export function poolingOf(h: Hyper, fallback: Pooling): Pooling {
  const number = h.integer("pooling_type", kinds.indexOf(fallback));
  return kinds[number] ?? h.fail("pooling_type", number, `0 to ${kinds.length - 1}`);
}

/**
 * The matrices that some models apply to the pooled vector, applied before the pooling: a mean of
 * products is the product of the mean, and the other poolings choose one row.
 */
function denseLayers(m: ModelBuilder, rows: Ref): Ref {
  return ["dense_2", "dense_3"].reduce((x, stem) => (m.has(stem) ? m.linear(x, stem) : x), rows);
}

/** The normed rows of an encoder as embeddings, pooled as the file says. */
export function embeddings(m: ModelBuilder, rows: Ref, fallback: Pooling = "none"): FamilyResult {
  const pooling = poolingOf(m.h, fallback);
  const dense = denseLayers(m, rows);
  const output = pooling === "rank" ? rankHead(m, dense) : dense;
  return { output, outputKind: "embeddings", pooling, causal: false };
}

/**
 * The normed rows of a decoder that embeds or ranks. Only its last row has seen the whole text, so
 * that one is ranked; its labels ("yes" and "no") share 1, as for Qwen3's reranker in llama.cpp.
 */
function decoderEmbeddings(m: ModelBuilder, rows: Ref): Exclude<FamilyResult, Ref> {
  const kind = poolingOf(m.h, "last");
  if (kind !== "rank")
    return { output: denseLayers(m, rows), outputKind: "embeddings", pooling: kind };
  return { output: rankHead(m, rows), outputKind: "embeddings", pooling: "rankLast" };
}

/** A score for each label: a hidden layer where the file has one, and a projection. */
function rankHead(m: ModelBuilder, x: Ref): Ref {
  if (!m.has("cls") && !m.has("cls.output"))
    m.fail('it ranks ("pooling_type" is 4) but has no classifier', "cls.output");
  let y = m.has("cls") ? m.activation(m.linear(x, "cls"), "tanh") : x;
  if (m.has("cls.norm")) y = m.layerNorm(y, "cls.norm");
  return m.has("cls.output") ? m.linear(y, "cls.output") : y;
}

/** The graph of what a family returned; a decoder of an embedding file embeds or ranks. */
export function finish(m: ModelBuilder, result: FamilyResult): Graph {
  if (typeof result !== "number") return m.build(result.output, result);
  if (!m.embeds) return m.build(result, { outputKind: "logits" });
  const end = decoderEmbeddings(m, result);
  return m.build(end.output, end);
}
