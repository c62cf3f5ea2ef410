/** Vectors for texts: rows of an embedding model, pooled and normalised as llama.cpp does. */
import { WebggufError } from "../base/errors.ts";
import { contextOverflow } from "../base/overflow.ts";
import type { Graph } from "../graph/graph.ts";
import type { Loaded } from "./loaded.ts";

/**
 * One vector for a sequence's tokens. Pooling: `mean` of the rows, `cls` the first, `last` the
 * last; these are scaled to length 1. `rank` gives the head's scores of the first row as they are,
 * `rankLast` those of the last as shares of 1, and `none` every row after the other, each scaled to
 * length 1.
 */
export async function embedTokens(
  model: Pick<Loaded, "executor" | "graph">,
  sequence: number,
  tokens: ArrayLike<number>,
  signal: AbortSignal | undefined,
): Promise<Float32Array> {
  const { executor, graph } = model;
  if (graph.outputKind !== "embeddings")
    throw new WebggufError(
      "model/unsupported",
      `A ${graph.architecture} language model gives no embeddings; load an embedding model (with a pooling type) for that`,
    );
  if (tokens.length > executor.contextLength)
    throw contextOverflow(executor.contextLength, tokens.length);
  executor.rewind(sequence, 0);
  const [result] = await executor.step(
    [{ sequence, input: tokens, outputs: "all", read: true }],
    signal,
  );
  executor.rewind(sequence, 0);
  return pool(result.rows, tokens.length, graph.pooling ?? "mean");
}

/** Rows [count][width] as one vector; see {@link embedTokens}. */
export function pool(
  rows: Float32Array,
  count: number,
  kind: NonNullable<Graph["pooling"]>,
): Float32Array {
  const width = rows.length / count;
  const row = (i: number): Float32Array => rows.slice(i * width, (i + 1) * width);
  switch (kind) {
    case "none": {
      const all = rows.slice();
      for (let i = 0; i < count; i++) normalize(all.subarray(i * width, (i + 1) * width));
      return all;
    }
    case "mean": {
      const sums = new Float64Array(width);
      for (let i = 0; i < rows.length; i++) sums[i % width] += rows[i];
      return normalize(Float32Array.from(sums, (sum) => sum / count));
    }
    case "cls":
      return normalize(row(0));
    case "last":
      return normalize(row(count - 1));
    case "rank":
      return row(0);
    case "rankLast":
      return softmax(row(count - 1));
  }
}

/** Shares of 1; a single score stays as it is. */
function softmax(scores: Float32Array): Float32Array {
  if (scores.length === 1) return scores;
  const most = Math.max(...scores);
  const shares = scores.map((score) => Math.exp(score - most));
  const sum = shares.reduce((total, share) => total + share, 0);
  return shares.map((share) => share / sum);
}

/** Scales to Euclidean length 1 in place; a zero vector stays. */
function normalize(vector: Float32Array): Float32Array {
  let squares = 0;
  for (const value of vector) squares += value * value;
  const length = Math.sqrt(squares);
  if (length > 0) for (let i = 0; i < vector.length; i++) vector[i] /= length;
  return vector;
}
