/** Tiny random models with a context of 4,096 tokens, for what only shows far from the start. */
import { random } from "../../bench/random-blocks.ts";
import { bufferSource } from "../../src/bytes/buffer.ts";
import { quantByName } from "../../src/file/quants.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { ggufBytes, type WritableTensor } from "../../src/gguf/write.ts";
import { type TypedValue, typed } from "../../src/gguf/write-value.ts";
import { buildGraph } from "../../src/models/index.ts";
import type { TestModel } from "./models.ts";

export const LONG_CONTEXT = 4096;

const [width, heads, kvHeads, headWidth, feedForward, vocabulary] = [64, 2, 1, 16, 96, 96];

/** Metadata that makes a model special, without the architecture in front of the keys. */
export type Special = Readonly<Record<string, number | string>>;

/**
 * The same weights for the same architecture and layers. Queries and keys are large enough that a row
 * attends to a handful of the thousands of rows before it, so that a wrong mask or angle shows.
 */
export async function longModel(
  architecture: "llama" | "gemma3",
  layers: number,
  special: Special,
): Promise<TestModel> {
  const next = random(7);
  const f32 = quantByName("F32")!;
  const tensors: WritableTensor[] = [];
  /** Values of this standard deviation, evenly spread. */
  const matrix = (name: string, deviation: number, ...shape: number[]): void => {
    const values = new Float32Array(shape.reduce((product, length) => product * length, 1));
    for (let i = 0; i < values.length; i++)
      values[i] = (next() / 2 ** 31 - 1) * Math.sqrt(3) * deviation;
    tensors.push({ name, type: f32, shape, data: new Uint8Array(values.buffer) });
  };
  const norm = (name: string): void => {
    const data = new Uint8Array(new Float32Array(width).fill(1).buffer);
    tensors.push({ name, type: f32, shape: [width], data });
  };
  matrix("token_embd.weight", 0.5, width, vocabulary);
  norm("output_norm.weight");
  for (let layer = 0; layer < layers; layer++) {
    const block = `blk.${layer}.`;
    norm(`${block}attn_norm.weight`);
    matrix(`${block}attn_q.weight`, 0.2, width, heads * headWidth);
    matrix(`${block}attn_k.weight`, 0.2, width, kvHeads * headWidth);
    matrix(`${block}attn_v.weight`, 0.125, width, kvHeads * headWidth);
    matrix(`${block}attn_output.weight`, 0.125, heads * headWidth, width);
    norm(`${block}ffn_norm.weight`);
    matrix(`${block}ffn_gate.weight`, 0.125, width, feedForward);
    matrix(`${block}ffn_up.weight`, 0.125, width, feedForward);
    matrix(`${block}ffn_down.weight`, 0.1, feedForward, width);
    if (architecture === "gemma3") {
      norm(`${block}post_attention_norm.weight`);
      norm(`${block}post_ffw_norm.weight`);
    }
  }
  const own = (
    name: string,
    value: number | string,
    type: "u32" | "f32",
  ): [string, TypedValue | string] => [
    `${architecture}.${name}`,
    typeof value === "string" ? value : typed(type, value),
  ];
  const metadata = [
    ["general.architecture", architecture] as const,
    own("block_count", layers, "u32"),
    own("context_length", LONG_CONTEXT, "u32"),
    own("embedding_length", width, "u32"),
    own("feed_forward_length", feedForward, "u32"),
    own("attention.head_count", heads, "u32"),
    own("attention.head_count_kv", kvHeads, "u32"),
    own("attention.key_length", headWidth, "u32"),
    own("attention.value_length", headWidth, "u32"),
    own("vocab_size", vocabulary, "u32"),
    own("attention.layer_norm_rms_epsilon", 1e-6, "f32"),
    own("rope.freq_base", 10000, "f32"),
    ...Object.entries(special).map(([name, value]) =>
      own(name, value, name.startsWith("rope.scaling.f") ? "f32" : "u32"),
    ),
  ];
  const bytes = await ggufBytes({ metadata, tensors });
  const file = await readGguf(bufferSource(bytes, `${architecture}-long.gguf`));
  const tokens = Array.from({ length: LONG_CONTEXT }, () => next() % vocabulary);
  return { graph: buildGraph(file, { contextLength: LONG_CONTEXT }), file, tokens };
}
