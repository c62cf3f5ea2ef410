/** Random-weight models of real shapes: enough to measure speed and memory, never quality. */
import { type QuantType, quantByName } from "../src/file/quants.ts";
import { ggufBytes, type WritableTensor, type WriteOptions } from "../src/gguf/write.ts";
import { type TypedValue, typed } from "../src/gguf/write-value.ts";
import { hash, randomWeights } from "./random-blocks.ts";

export interface ModelShape {
  readonly architecture: "llama" | "qwen3" | "qwen3moe" | "gpt-oss";
  readonly layers: number;
  /** Width of the residual stream. */
  readonly width: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headWidth: number;
  /** Width of the feed-forward, or of one expert's. */
  readonly feedForward: number;
  readonly vocabulary: number;
  /** The output matrix is the embedding. */
  readonly tied: boolean;
  readonly context: number;
  readonly ropeBase: number;
  readonly epsilon: number;
  /** Llama 3.1's frequency factors as a tensor. */
  readonly ropeFactors?: boolean;
  readonly experts?: { readonly count: number; readonly used: number };
  /** Positions of a sliding window. */
  readonly window?: number;
}

const llama3 = {
  architecture: "llama",
  heads: 32,
  kvHeads: 8,
  vocabulary: 128256,
  ropeBase: 500000,
  epsilon: 1e-5,
} as const;

const qwen3 = {
  architecture: "qwen3",
  kvHeads: 8,
  headWidth: 128,
  vocabulary: 151936,
  tied: true,
  context: 40960,
  ropeBase: 1e6,
  epsilon: 1e-6,
} as const;

/** Shapes by the name that the command line takes. */
export const shapes: Readonly<Record<string, ModelShape>> = {
  "smollm2-135m": {
    architecture: "llama",
    layers: 30,
    width: 576,
    heads: 9,
    kvHeads: 3,
    headWidth: 64,
    feedForward: 1536,
    vocabulary: 49152,
    tied: true,
    context: 8192,
    ropeBase: 100000,
    epsilon: 1e-5,
  },
  "qwen3-0.6b": { ...qwen3, layers: 28, width: 1024, heads: 16, feedForward: 3072 },
  "qwen3-4b": { ...qwen3, layers: 36, width: 2560, heads: 32, feedForward: 9728 },
  "llama-3.2-1b": {
    ...llama3,
    layers: 16,
    width: 2048,
    headWidth: 64,
    feedForward: 8192,
    tied: true,
    context: 131072,
    ropeFactors: true,
  },
  "llama-3-8b": {
    ...llama3,
    layers: 32,
    width: 4096,
    headWidth: 128,
    feedForward: 14336,
    tied: false,
    context: 8192,
  },
  "gpt-oss-20b": {
    architecture: "gpt-oss",
    layers: 24,
    width: 2880,
    heads: 64,
    kvHeads: 8,
    headWidth: 64,
    feedForward: 2880,
    vocabulary: 201088,
    tied: false,
    context: 131072,
    ropeBase: 150000,
    epsilon: 1e-5,
    experts: { count: 32, used: 4 },
    window: 128,
  },
  "moe-small": {
    architecture: "qwen3moe",
    layers: 12,
    width: 1024,
    heads: 16,
    kvHeads: 4,
    headWidth: 64,
    feedForward: 512,
    vocabulary: 32768,
    tied: true,
    context: 8192,
    ropeBase: 1e6,
    epsilon: 1e-6,
    experts: { count: 32, used: 4 },
  },
};

export interface RandomModelOptions {
  /** A name of {@link shapes}, or any shape. */
  readonly shape: string | ModelShape;
  /** A tensor type (`q8_0`, `f16` …) or the mix `q4_k_m`. Default `q8_0`. */
  readonly type?: string;
  /** Layers, when not the shape's own. */
  readonly layers?: number;
  readonly seed?: number;
}

/** What llama.cpp falls back to where a row is no multiple of 256. */
const narrower: Readonly<Record<string, string>> = { Q4_K: "Q5_0", Q5_K: "Q5_1", Q6_K: "Q8_0" };

const named = (name: string): QuantType => {
  const type = quantByName(name);
  if (!type || type.data) throw new Error(`No weights of type ${name}`);
  return type;
};

function fitting(name: string, row: number): QuantType {
  const type = named(name);
  if (row % type.elements === 0) return type;
  const next = named(narrower[type.name] ?? "IQ4_NL");
  return row % next.elements === 0 ? next : named("F16");
}

/** The layers to which llama.cpp's `_M` mixes give more bits: the first and last eighth, and every third between. */
export function hasMoreBits(layer: number, layers: number): boolean {
  const eighth = Math.floor(layers / 8);
  return layer < eighth || layer >= Math.floor((7 * layers) / 8) || (layer - eighth) % 3 === 2;
}

/** The type name of a matrix under the chosen type or mix. */
function mixed(choice: string, role: string, layer: number, layers: number): string {
  if (choice.toUpperCase() !== "Q4_K_M") return choice;
  if (role === "output") return "Q6_K";
  const wantsMore = role === "attn_v" || role.startsWith("ffn_down");
  return wantsMore && hasMoreBits(layer, layers) ? "Q6_K" : "Q4_K";
}

function floats(values: Float32Array<ArrayBuffer>): Uint8Array {
  return new Uint8Array(values.buffer);
}

function tensorsOf(shape: ModelShape, choice: string, seed: number): WritableTensor[] {
  const { layers, width, headWidth, feedForward, vocabulary, tied, experts } = shape;
  const oss = shape.architecture === "gpt-oss";
  const tensors: WritableTensor[] = [];
  const matrix = (name: string, role: string, layer: number, ...dimensions: number[]): void => {
    // gpt-oss has nothing but its experts in MXFP4.
    const rest = oss && choice.toUpperCase() === "MXFP4" && !role.endsWith("_exps");
    const type = fitting(rest ? "q8_0" : mixed(choice, role, layer, layers), dimensions[0]);
    const elements = dimensions.reduce((product, length) => product * length, 1);
    const data = () => randomWeights(type, elements, seed ^ hash(name));
    tensors.push({ name, type, shape: dimensions, data });
  };
  const vector = (name: string, length: number | number[], value = 1): void => {
    const dimensions = [length].flat();
    const elements = dimensions.reduce((product, one) => product * one, 1);
    const data = () => [floats(new Float32Array(elements).fill(value))];
    tensors.push({ name, type: named("F32"), shape: dimensions, data });
  };
  matrix("token_embd.weight", tied ? "output" : "token_embd", 0, width, vocabulary);
  vector("output_norm.weight", width);
  if (!tied) matrix("output.weight", "output", 0, width, vocabulary);
  if (shape.ropeFactors) vector("rope_freqs.weight", headWidth / 2);
  for (let layer = 0; layer < layers; layer++) {
    const block = `blk.${layer}.`;
    const linear = (role: string, ...dimensions: number[]): void => {
      matrix(`${block}${role}.weight`, role, layer, ...dimensions);
      if (oss) vector(`${block}${role}.bias`, dimensions.slice(1), 0.01);
    };
    vector(`${block}attn_norm.weight`, width);
    linear("attn_q", width, shape.heads * headWidth);
    linear("attn_k", width, shape.kvHeads * headWidth);
    linear("attn_v", width, shape.kvHeads * headWidth);
    linear("attn_output", shape.heads * headWidth, width);
    if (oss) vector(`${block}attn_sinks.weight`, shape.heads);
    else if (shape.architecture !== "llama") {
      vector(`${block}attn_q_norm.weight`, headWidth);
      vector(`${block}attn_k_norm.weight`, headWidth);
    }
    vector(`${block}${oss ? "post_attention_norm" : "ffn_norm"}.weight`, width);
    if (experts) {
      const name = `${block}ffn_gate_inp.weight`;
      const type = named("F32");
      const data = () => randomWeights(type, width * experts.count, seed ^ hash(name));
      tensors.push({ name, type, shape: [width, experts.count], data });
      if (oss) vector(`${block}ffn_gate_inp.bias`, experts.count, 0.01);
      linear("ffn_gate_exps", width, feedForward, experts.count);
      linear("ffn_up_exps", width, feedForward, experts.count);
      linear("ffn_down_exps", feedForward, width, experts.count);
    } else {
      linear("ffn_gate", width, feedForward);
      linear("ffn_up", width, feedForward);
      linear("ffn_down", feedForward, width);
    }
  }
  return tensors;
}

/** GPT-2's letters for the 256 bytes: itself where it prints, else the next from 256 on. */
function byteLetters(): string[] {
  const prints = (byte: number): boolean =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) =>
    String.fromCodePoint(prints(byte) ? byte : next++),
  );
}

const template =
  "{% for message in messages %}{{ message.content }}\n{% endfor %}{% if add_generation_prompt %}{% endif %}";

/**
 * A vocabulary of the 256 bytes, filler that no text reaches, and BOS and EOS at the end, so that each
 * lower-case letter is one token. The one merge joins two bytes that no valid UTF-8 holds.
 */
function vocabularyOf(size: number): [string, string | string[] | Int32Array | TypedValue][] {
  const letters = byteLetters();
  const [bos, eos] = [size - 2, size - 1];
  const tokens = Array.from({ length: size }, (_, id) => letters[id] ?? `filler${id}`);
  tokens[256] = letters[255] + letters[255];
  tokens[bos] = "<|bos|>";
  tokens[eos] = "<|eos|>";
  const [normal, control] = [1, 3];
  const types = Int32Array.from(tokens, (_, id) => (id >= bos ? control : normal));
  return [
    ["tokenizer.ggml.model", "gpt2"],
    ["tokenizer.ggml.pre", "gpt-2"],
    ["tokenizer.ggml.tokens", tokens],
    ["tokenizer.ggml.token_type", types],
    ["tokenizer.ggml.merges", [`${letters[255]} ${letters[255]}`]],
    ["tokenizer.ggml.bos_token_id", typed("u32", bos)],
    ["tokenizer.ggml.eos_token_id", typed("u32", eos)],
    ["tokenizer.ggml.padding_token_id", typed("u32", eos)],
    ["tokenizer.ggml.add_bos_token", typed("bool", false)],
    ["tokenizer.chat_template", template],
  ];
}

function metadataOf(shape: ModelShape, name: string): WriteOptions["metadata"] {
  const own = (key: string): string => `${shape.architecture}.${key}`;
  const integers: [string, number][] = [
    ["block_count", shape.layers],
    ["context_length", shape.context],
    ["embedding_length", shape.width],
    ["feed_forward_length", shape.feedForward],
    ["attention.head_count", shape.heads],
    ["attention.head_count_kv", shape.kvHeads],
    ["attention.key_length", shape.headWidth],
    ["attention.value_length", shape.headWidth],
    ["rope.dimension_count", shape.headWidth],
    ["vocab_size", shape.vocabulary],
  ];
  if (shape.experts)
    integers.push(
      ["expert_count", shape.experts.count],
      ["expert_used_count", shape.experts.used],
      ["expert_feed_forward_length", shape.feedForward],
    );
  if (shape.window) integers.push(["attention.sliding_window", shape.window]);
  return [
    ["general.architecture", shape.architecture],
    ["general.name", name],
    ...integers.map(([key, value]) => [own(key), typed("u32", value)] as const),
    [own("attention.layer_norm_rms_epsilon"), typed("f32", shape.epsilon)],
    [own("rope.freq_base"), typed("f32", shape.ropeBase)],
    ...vocabularyOf(shape.vocabulary),
  ];
}

/** The model as the writer takes it; tensor data is made as it is written. */
export function randomModel(options: RandomModelOptions): WriteOptions {
  const { shape: wanted, type = "q8_0", seed = 1 } = options;
  const known = typeof wanted === "string" ? shapes[wanted] : wanted;
  if (!known)
    throw new Error(`No shape ${String(wanted)}; there are ${Object.keys(shapes).join(", ")}`);
  const shape = { ...known, layers: options.layers ?? known.layers };
  const name = `random ${typeof wanted === "string" ? wanted : shape.architecture} ${type}`;
  return { metadata: metadataOf(shape, name), tensors: tensorsOf(shape, type, seed) };
}

/** A small random model as the bytes of its file. */
export function writeRandomModel(options: RandomModelOptions): Promise<Uint8Array<ArrayBuffer>> {
  return ggufBytes(randomModel(options));
}
