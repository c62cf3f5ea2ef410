/**
 * Llama's forward pass in double precision, written without the engine, for models whose layers differ;
 * and random models of that kind as GGUF files.
 */
import { random } from "../../bench/random-blocks.ts";
import { bufferSource } from "../../src/bytes/buffer.ts";
import { plainCpu } from "../../src/cpu/open.ts";
import type { MetadataValue } from "../../src/file/metadata.ts";
import { quantByName } from "../../src/file/quants.ts";
import type { ModelFile } from "../../src/file/types.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { ggufBytes } from "../../src/gguf/write.ts";
import { buildGraph } from "../../src/models/index.ts";

export interface DoubleLayer {
  /** Query heads; 0 = no attention at all. */
  readonly heads: number;
  /** Key/value heads; 0 = a matrix in attention's place. */
  readonly kvHeads: number;
  /** Width of the feed-forward; 0 = none. */
  readonly inner: number;
}

export interface DoubleModel {
  readonly layers: readonly DoubleLayer[];
  readonly width: number;
  readonly headWidth: number;
  readonly vocabulary: number;
  readonly tensors: Weights;
}

/** Tensors by name, with GGUF's shapes. */
export type Weights = ReadonlyMap<
  string,
  { readonly shape: number[]; readonly data: Float32Array }
>;

const ropeBase = 10000;
const epsilon = Math.fround(1e-6);

/** A model with random weights, near 1 where they are a norm's. */
export function doubleModel(layers: readonly DoubleLayer[], seed: number): DoubleModel {
  const [width, headWidth, vocabulary] = [32, 8, 40];
  const next = random(seed);
  const tensors = new Map<string, { shape: number[]; data: Float32Array }>();
  const add = (name: string, ...shape: number[]): void => {
    const size = shape.reduce((product, n) => product * n, 1);
    const norm = name.endsWith("_norm");
    const spread = norm ? 0.2 : 1 / Math.sqrt(shape[0]);
    const data = Float32Array.from(
      { length: size },
      () => Number(norm) + 2 * spread * (next() / 2 ** 31 - 1),
    );
    tensors.set(`${name}.weight`, { shape, data });
  };
  add("token_embd", width, vocabulary);
  add("output_norm", width);
  add("output", width, vocabulary);
  layers.forEach(({ heads, kvHeads, inner }, i) => {
    const blk = `blk.${i}.`;
    if (heads > 0) {
      add(`${blk}attn_norm`, width);
      add(`${blk}attn_output`, kvHeads > 0 ? heads * headWidth : width, width);
    }
    if (heads > 0 && kvHeads > 0) {
      add(`${blk}attn_q`, width, heads * headWidth);
      add(`${blk}attn_k`, width, kvHeads * headWidth);
      add(`${blk}attn_v`, width, kvHeads * headWidth);
    }
    if (inner === 0) return;
    add(`${blk}ffn_norm`, width);
    add(`${blk}ffn_gate`, width, inner);
    add(`${blk}ffn_up`, width, inner);
    add(`${blk}ffn_down`, inner, width);
  });
  return { layers, width, headWidth, vocabulary, tensors };
}

/** The model as a file, with what its architecture has beyond Llama's hyperparameters. */
export async function doubleFile(
  model: DoubleModel,
  architecture: string,
  more: Readonly<Record<string, MetadataValue>> = {},
): Promise<ModelFile> {
  const of = (key: keyof DoubleLayer): MetadataValue =>
    Int32Array.from(model.layers, (l) => l[key]);
  const hyper: Record<string, MetadataValue> = {
    context_length: 64,
    embedding_length: model.width,
    block_count: model.layers.length,
    "attention.head_count": of("heads"),
    "attention.head_count_kv": of("kvHeads"),
    "attention.key_length": model.headWidth,
    "attention.value_length": model.headWidth,
    "attention.layer_norm_rms_epsilon": epsilon,
    feed_forward_length: of("inner"),
    "rope.freq_base": ropeBase,
    "rope.dimension_count": model.headWidth,
    ...more,
  };
  return modelFile(architecture, hyper, model.tensors);
}

/** A file of F32 tensors; keys without the architecture. */
export async function modelFile(
  architecture: string,
  hyper: Readonly<Record<string, MetadataValue>>,
  weights: Weights,
): Promise<ModelFile> {
  const metadata: [string, MetadataValue][] = Object.entries(hyper).map(([key, value]) => [
    `${architecture}.${key}`,
    value,
  ]);
  const type = quantByName("F32")!;
  const tensors = Array.from(weights, ([name, { shape, data }]) => ({
    name,
    type,
    shape,
    data: new Uint8Array(data.buffer),
  }));
  const bytes = await ggufBytes({
    metadata: [["general.architecture", architecture], ...metadata],
    tensors,
  });
  return readGguf(bufferSource(bytes, `${architecture}.gguf`));
}

/** The engine's logits of all tokens, one row after another, given in pieces of `pieces` tokens. */
export async function engineLogits(
  file: ModelFile,
  tokens: readonly number[],
  piece: number = tokens.length,
): Promise<number[]> {
  const options = { contextLength: 64, cacheTypeK: "f32", cacheTypeV: "f32" } as const;
  const executor = await plainCpu.create(buildGraph(file, options), file, options);
  const all: number[] = [];
  for (let at = 0; at < tokens.length; at += piece) {
    const input = tokens.slice(at, at + piece);
    const [{ rows }] = await executor.step([{ sequence: 0, input, outputs: "all", read: true }]);
    all.push(...rows);
  }
  await executor.dispose();
  return all;
}

/**
 * The logits in double precision. The layers are gone through `passes` times; between two passes the
 * stream is normed as before the logits, if `normed`.
 */
export function doubleLogits(
  model: DoubleModel,
  tokens: readonly number[],
  passes = 1,
  normed = true,
): number[] {
  const weights = (name: string): Float32Array => model.tensors.get(`${name}.weight`)!.data;
  const norm = (x: readonly number[], name: string): number[] => {
    const mean = x.reduce((sum, v) => sum + v * v, 0) / x.length;
    return x.map((v, i) => (v / Math.sqrt(mean + epsilon)) * weights(name)[i]);
  };
  const times = (x: readonly number[], name: string): number[] => {
    const w = weights(name);
    return Array.from({ length: w.length / x.length }, (_, row) =>
      x.reduce((sum, v, i) => sum + v * w[row * x.length + i], 0),
    );
  };
  const plus = (a: readonly number[], b: readonly number[]): number[] => a.map((v, i) => v + b[i]);
  const { headWidth } = model;
  const rotated = (x: readonly number[], position: number): number[] =>
    x.map((v, i) => {
      const pair = Math.floor((i % headWidth) / 2);
      const angle = position * ropeBase ** ((-2 * pair) / headWidth);
      const other = i % 2 === 0 ? -x[i + 1] : x[i - 1];
      return v * Math.cos(angle) + other * Math.sin(angle);
    });

  /** Each row's attention to itself and the rows before it, heads joined. */
  const attention = (rows: number[][], blk: string, heads: number, kvHeads: number): number[][] => {
    const q = rows.map((row, p) => rotated(times(row, `${blk}attn_q`), p));
    const k = rows.map((row, p) => rotated(times(row, `${blk}attn_k`), p));
    const v = rows.map((row) => times(row, `${blk}attn_v`));
    return q.map((query, p) =>
      Array.from({ length: heads }, (_, head) => {
        const own = Math.floor(head / (heads / kvHeads)) * headWidth;
        const scores = k.slice(0, p + 1).map((key) => {
          let score = 0;
          for (let i = 0; i < headWidth; i++) score += query[head * headWidth + i] * key[own + i];
          return Math.exp(score / Math.sqrt(headWidth));
        });
        const total = scores.reduce((sum, score) => sum + score, 0);
        return Array.from(
          { length: headWidth },
          (_, i) => scores.reduce((sum, score, j) => sum + score * v[j][own + i], 0) / total,
        );
      }).flat(),
    );
  };

  let stream = tokens.map((token) =>
    Array.from(weights("token_embd").subarray(token * model.width, (token + 1) * model.width)),
  );
  for (let pass = 0; pass < passes; pass++) {
    if (pass > 0 && normed) stream = stream.map((row) => norm(row, "output_norm"));
    model.layers.forEach(({ heads, kvHeads, inner }, i) => {
      const blk = `blk.${i}.`;
      if (heads > 0) {
        const before = stream.map((row) => norm(row, `${blk}attn_norm`));
        const mixed = kvHeads > 0 ? attention(before, blk, heads, kvHeads) : before;
        stream = stream.map((row, p) => plus(row, times(mixed[p], `${blk}attn_output`)));
      }
      if (inner === 0) return;
      stream = stream.map((row) => {
        const y = norm(row, `${blk}ffn_norm`);
        const up = times(y, `${blk}ffn_up`);
        const gated = times(y, `${blk}ffn_gate`).map((g, j) => (g / (1 + Math.exp(-g))) * up[j]);
        return plus(row, times(gated, `${blk}ffn_down`));
      });
    });
  }
  return stream.flatMap((row) => times(norm(row, "output_norm"), "output"));
}
