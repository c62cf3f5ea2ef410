/**
 * The operation set: what a model is made of. Small and closed; each op has one CPU function
 * (cpu/), one or more GPU lowerings (kernels/) and a formula here.
 *
 * A value is a matrix of f32, rows × width. A row is one token of one sequence; how many rows a
 * step has is not known to the graph. After `select`, values have only the rows whose output is
 * wanted. Heads, groups and experts are consecutive runs inside the width. Weights are mentioned
 * by tensor name only; GGUF shapes are [in, out] for a matrix (first dimension contiguous).
 */

/** Index of the op that makes the value: `graph.ops[ref]`. */
export type Ref = number;

/** Element-wise functions. gelu = tanh form, geluErf = exact, geluQuick = x·σ(1.702x), relu2 = max(x,0)². */
export type Activation =
  | "silu"
  | "gelu"
  | "geluErf"
  | "geluQuick"
  | "relu"
  | "relu2"
  | "sigmoid"
  | "tanh"
  | "softplus"
  | "exp"
  | "negExp" // −exp(x)
  | "xielu"; // Apertus: parameters in Op.params [alphaN, alphaP, beta, eps]

/**
 * Angles of a rotary embedding, the same for all rows: pair i of position p turns by
 * p · theta_i with magnitude m (llama.cpp `ggml_rope_ext`: base, linear and YaRN scaling,
 * frequency factors). The executor makes one cos/sin table of [positions][rotated / 2] from it.
 */
export interface RopeTable {
  /** Rotated elements of a head (even). */
  readonly rotated: number;
  readonly base: number;
  /** 1 / linear scaling factor; also YaRN's interpolation factor. */
  readonly freqScale: number;
  /** YaRN mix: 0 = none, 1 = full. */
  readonly extFactor: number;
  /** Magnitude before YaRN's own 1 + 0.1·ln(1/freqScale), which applies when extFactor ≠ 0. */
  readonly attnFactor: number;
  readonly betaFast: number;
  readonly betaSlow: number;
  /** Context the model was trained with (YaRN). */
  readonly originalContext: number;
  /** Tensor that divides each pair's frequency (`rope_freqs.weight`, LongRoPE factors). */
  readonly factors?: string;
  /** Multi-section: pairs that take position component 0, 1, 2, 3. */
  readonly sections?: readonly number[];
  /** Sections interleaved (t h w t h w …) as in Qwen3-VL and Qwen3.5. */
  readonly interleaved?: boolean;
}

/** How experts are chosen from router logits [rows, experts] (llama.cpp `build_moe_ffn`). */
export interface RouteParams {
  readonly experts: number;
  readonly used: number;
  /** Scores: softmax over all, sigmoid, softmax over the chosen ones only, or the raw logits. */
  readonly gate: "softmax" | "sigmoid" | "softmaxChosen" | "none";
  /** Tensor added to the scores for the choice only (not for the weights). */
  readonly selectionBias?: string;
  /** Experts in `groups` groups of which the best `groupsUsed` stay (DeepSeek-V3: sum of top 2). */
  readonly groups: number;
  readonly groupsUsed: number;
  /** Chosen weights divided by their sum (clamped from below at 6.103515625e-5). */
  readonly normalize: boolean;
  /** Factor on the weights; 1 = none. */
  readonly scale: number;
}

export type Op = { readonly layer: number; readonly name: string } & OpBody;

/** The op of one kind. */
export type OpOf<K extends Op["op"]> = Extract<Op, { op: K }>;

export type OpBody =
  /** Rows of a table [width, n] by token id, by position + offset, or always row 0. First op of a graph. */
  | { op: "embed"; table: string; by: "token" | "position" | "first"; offset: number }
  /** x / sqrt(mean(x²) + eps) · weight, over each run of `group` elements; weight has group or width entries. */
  | { op: "rmsNorm"; x: Ref; weight?: string; eps: number; group: number }
  /** (x − mean) / sqrt(var + eps) · weight + bias over each run of `group` elements. */
  | { op: "layerNorm"; x: Ref; weight?: string; bias?: string; eps: number; group: number }
  /** x / max(sqrt(sum(x²)), eps) over each run of `group` elements. */
  | { op: "l2Norm"; x: Ref; eps: number; group: number }
  /** x · Wᵀ + bias: [rows, in] → [rows, out]; `first`/`out` pick a range of the weight's rows. `scale`: a tensor of one number. */
  | {
      op: "linear";
      x: Ref;
      weight: string;
      bias?: string;
      scale?: string;
      first: number;
      out: number;
    }
  /** By head: run h of x [rows, heads·in] times matrix h of the weight [in, out, heads] → [rows, heads·out]. */
  | { op: "headLinear"; x: Ref; weight: string; heads: number; out: number }
  /** Sum of a · b over each run of `group` elements: [rows, width] twice → [rows, width / group]. */
  | { op: "dot"; a: Ref; b: Ref; group: number }
  /** a + b, same width. */
  | { op: "add"; a: Ref; b: Ref }
  /** a · b; b's width divides a's: each element of b covers a.width / b.width consecutive ones. */
  | { op: "mul"; a: Ref; b: Ref }
  /** x + w with a tensor vector, repeated cyclically over the width. */
  | { op: "addWeight"; x: Ref; weight: string }
  /** x · w likewise, where each entry of w covers `run` consecutive elements. */
  | { op: "mulWeight"; x: Ref; weight: string; run: number }
  /** x · by + plus. */
  | { op: "scale"; x: Ref; by: number; plus: number }
  | { op: "clamp"; x: Ref; min: number; max: number }
  | { op: "activation"; x: Ref; kind: Activation; params: readonly number[] }
  /** kind(gate) · up. `swigluOai` (gpt-oss): g=min(gate,limit), u=clamp(up,±limit): g·σ(alpha·g)·(u+1). */
  | {
      op: "gated";
      gate: Ref;
      up: Ref;
      kind: Activation | "swigluOai";
      alpha: number;
      limit: number;
    }
  /** cap · tanh(x / cap). */
  | { op: "softcap"; x: Ref; cap: number }
  /**
   * Rotates `table.rotated` elements of each head of `headWidth`, from element `start` on; the rest
   * passes through. norm: pairs (2i, 2i+1); neox: pairs (i, i + rotated/2).
   */
  | {
      op: "rope";
      x: Ref;
      headWidth: number;
      start: number;
      style: "norm" | "neox";
      table: RopeTable;
    }
  /** x · (ln(floor((p + offset) / floorScale) + 1) · factor + 1) by position p (Llama 4, Mistral 3 attention temperature). */
  | { op: "positionScale"; x: Ref; floorScale: number; factor: number; offset: number }
  /**
   * Writes k, v of the rows into the slot (unless absent: a slot shared with an earlier layer), then
   * each row attends to its own sequence: softmax(cap(q·kᵀ · scale) + alibi, sink) · v.
   * q [rows, heads·keyWidth] → [rows, heads·valueWidth]. Head h reads key/value head h / (heads/kvHeads).
   */
  | {
      op: "attention";
      q: Ref;
      k?: Ref;
      v?: Ref;
      slot: number;
      heads: number;
      scale: number;
      /** 0 = none. */
      softcap: number;
      /** sliding: p − window < j ≤ p; chunked: floor(j / window) = floor(p / window); symmetric: |p − j| ≤ window / 2. */
      window: number;
      windowKind: "sliding" | "chunked" | "symmetric";
      /** Tensor [heads] of attention-sink logits. */
      sinks?: string;
      /** ALiBi max bias; 0 = none. */
      alibi: number;
      causal: boolean;
    }
  /** Elements [offset, offset + width) of each of the `groups` equal runs of x → [rows, groups · width]. */
  | { op: "slice"; x: Ref; offset: number; width: number; groups: number }
  /** Parts joined run by run: each part is split in `groups` equal runs. */
  | { op: "concat"; parts: readonly Ref[]; groups: number }
  /** Only the rows whose output is wanted. */
  | { op: "select"; x: Ref }
  /** Router logits → [rows, 2·used]: ids as floats, then weights. */
  | ({ op: "moeRoute"; logits: Ref } & RouteParams)
  /**
   * By expert: x [rows, in] (or [rows, used·in] when `perExpert`) with weight [in, out, experts],
   * bias [out, experts], scale [experts] → [rows, used·out].
   */
  | {
      op: "moeLinear";
      x: Ref;
      route: Ref;
      weight: string;
      bias?: string;
      scale?: string;
      used: number;
      perExpert: boolean;
      first: number;
      out: number;
    }
  /** Sum over the chosen experts of weight · x (of x alone unless `weighted`): [rows, used·width] → [rows, width]. */
  | { op: "moeSum"; x: Ref; route: Ref; used: number; weighted: boolean }
  /** x [rows, w] → [rows, used·w] multiplied by the chosen weights (Llama 4 weighs the input). */
  | { op: "moeScale"; x: Ref; route: Ref; used: number }
  /**
   * Causal depthwise convolution over the sequence: y[t,c] = Σ_j w[j,c] · x[t−K+1+j, c] (+ bias);
   * weight [K, width]; the slot keeps the last K−1 rows, oldest first ([K−1][width]).
   */
  | {
      op: "conv";
      x: Ref;
      weight: string;
      bias?: string;
      kernel: number;
      slot: number;
      slotOffset: number;
    }
  /**
   * Selective state space. Per row, head h (of `heads`, each `headWidth` channels wide), group
   * g = h / (heads/groups): dt = softplus(dt + dtBias) ; S = S·exp(dt·A) + (dt·x) ⊗ B ; y = S·C + D·x.
   * Mamba-1: headWidth 1, a [state, inner], Mamba-2: a [heads]. x [rows, heads·headWidth],
   * dt [rows, heads], b and c [rows, groups·state]; state slot [heads·headWidth][state].
   */
  | {
      op: "ssm";
      x: Ref;
      dt: Ref;
      b: Ref;
      c: Ref;
      a: string;
      d?: string;
      dtBias?: string;
      heads: number;
      headWidth: number;
      groups: number;
      state: number;
      slot: number;
      slotOffset: number;
    }
  /**
   * Gated delta rule (Qwen3-Next, Kimi Linear): per head, S [keyWidth][valueWidth]:
   * S = S·exp(g) ; u = beta·(v − Sᵀk) ; S = S + k ⊗ u ; y = Sᵀq · scale. g [rows, heads] or
   * [rows, heads·keyWidth] (per channel); q, k [rows, keyHeads·keyWidth], v [rows, heads·valueWidth], beta [rows, heads].
   * Value head h reads key head h % keyHeads when `tiled`, else h / (heads/keyHeads).
   */
  | {
      op: "deltaNet";
      q: Ref;
      k: Ref;
      v: Ref;
      g: Ref;
      beta: Ref;
      heads: number;
      keyHeads: number;
      keyWidth: number;
      valueWidth: number;
      scale: number;
      tiled: boolean;
      slot: number;
      slotOffset: number;
    }
  /** Row t of a sequence → row t−1 (RWKV token shift); the slot keeps the last row. */
  | { op: "shift"; x: Ref; slot: number; slotOffset: number }
  /**
   * RWKV-7: per head of `headWidth`, S = S·diag(w) + (S·a) ⊗ b + v ⊗ k ; y = S·r
   * (all of r, w, k, v, a, b are [rows, heads·headWidth]).
   */
  | {
      op: "wkv7";
      r: Ref;
      w: Ref;
      k: Ref;
      v: Ref;
      a: Ref;
      b: Ref;
      heads: number;
      headWidth: number;
      slot: number;
      slotOffset: number;
    };

/*
 * What each op reads, said once: values and tensors by op. Both executors, weight placement and fusion ask
 * here, and an op without an entry does not compile.
 */

/** What an op of kind K reads; entries that an op leaves out are undefined. */
interface Reads<K extends Op["op"]> {
  /** Values, in a fixed order. */
  readonly values: (op: OpOf<K>) => readonly (Ref | undefined)[];
  /** Tensors whose rows it reads: their blocks stay as the file has them. */
  readonly matrices: (op: OpOf<K>) => readonly (string | undefined)[];
  /** Tensors that it reads element by element, as f32. */
  readonly vectors: (op: OpOf<K>) => readonly (string | undefined)[];
}

const none = (): readonly undefined[] => [];
const x = (op: { readonly x: Ref }): Ref[] => [op.x];
const ab = (op: { readonly a: Ref; readonly b: Ref }): Ref[] => [op.a, op.b];
const routed = (op: { readonly x: Ref; readonly route: Ref }): Ref[] => [op.x, op.route];
const weight = (op: { readonly weight?: string }): (string | undefined)[] => [op.weight];
const weightAndBias = (op: { readonly weight?: string; readonly bias?: string }) => [
  op.weight,
  op.bias,
];
const biasAndScale = (op: { readonly bias?: string; readonly scale?: string }) => [
  op.bias,
  op.scale,
];

const opTable: { readonly [K in Op["op"]]: Reads<K> } = {
  embed: { values: none, matrices: (op) => [op.table], vectors: none },
  rmsNorm: { values: x, matrices: none, vectors: weight },
  layerNorm: { values: x, matrices: none, vectors: weightAndBias },
  l2Norm: { values: x, matrices: none, vectors: none },
  linear: { values: x, matrices: weight, vectors: biasAndScale },
  headLinear: { values: x, matrices: weight, vectors: none },
  dot: { values: ab, matrices: none, vectors: none },
  add: { values: ab, matrices: none, vectors: none },
  mul: { values: ab, matrices: none, vectors: none },
  addWeight: { values: x, matrices: none, vectors: weight },
  mulWeight: { values: x, matrices: none, vectors: weight },
  scale: { values: x, matrices: none, vectors: none },
  clamp: { values: x, matrices: none, vectors: none },
  activation: { values: x, matrices: none, vectors: none },
  gated: { values: (op) => [op.gate, op.up], matrices: none, vectors: none },
  softcap: { values: x, matrices: none, vectors: none },
  rope: { values: x, matrices: none, vectors: (op) => [op.table.factors] },
  positionScale: { values: x, matrices: none, vectors: none },
  attention: {
    values: (op) => [op.q, op.k, op.v],
    matrices: none,
    vectors: (op) => [op.sinks],
  },
  slice: { values: x, matrices: none, vectors: none },
  concat: { values: (op) => op.parts, matrices: none, vectors: none },
  select: { values: x, matrices: none, vectors: none },
  moeRoute: {
    values: (op) => [op.logits],
    matrices: none,
    vectors: (op) => [op.selectionBias],
  },
  moeLinear: { values: routed, matrices: weight, vectors: biasAndScale },
  moeSum: { values: routed, matrices: none, vectors: none },
  moeScale: { values: routed, matrices: none, vectors: none },
  conv: { values: x, matrices: none, vectors: weightAndBias },
  ssm: {
    values: (op) => [op.x, op.dt, op.b, op.c],
    matrices: none,
    vectors: (op) => [op.a, op.d, op.dtBias],
  },
  deltaNet: {
    values: (op) => [op.q, op.k, op.v, op.g, op.beta],
    matrices: none,
    vectors: none,
  },
  shift: { values: x, matrices: none, vectors: none },
  wkv7: {
    values: (op) => [op.r, op.w, op.k, op.v, op.a, op.b],
    matrices: none,
    vectors: none,
  },
};

/** The entry of an op's own kind. */
const readsOf = (op: Op): Reads<Op["op"]> => opTable[op.op] as Reads<Op["op"]>;
const present = <T>(list: readonly (T | undefined)[]): T[] =>
  list.filter((one) => one !== undefined);

/** The values an op reads, in a fixed order. */
export const inputsOf = (op: Op): Ref[] => present(readsOf(op).values(op));

/** Names of the tensors that the op reads by rows. */
export const matricesOf = (op: Op): string[] => present(readsOf(op).matrices(op));

/** Names of the tensors that the op reads element by element. */
export const vectorsOf = (op: Op): string[] => present(readsOf(op).vectors(op));

/** Names of all tensors that the op reads, matrices first. */
export const tensorsOf = (op: Op): string[] => [...matricesOf(op), ...vectorsOf(op)];
