/** The pieces that many families are made of, each as papers draw it. */
import type { AttentionSettings } from "../graph/builder.ts";
import type { Activation, Ref, RopeTable, RouteParams } from "../graph/ops.ts";
import type { ModelBuilder } from "./model.ts";
import { type RopeSettings, ropeTable } from "./rope.ts";

/** How a head is turned. */
export interface Rope {
  readonly style: "norm" | "neox";
  readonly table: RopeTable;
}

/** The file's own rotation, in one of the two pairings. */
export function ropeOf(m: ModelBuilder, style: Rope["style"], settings?: RopeSettings): Rope {
  return { style, table: ropeTable(m, settings) };
}

/** Embeds the tokens, applies each layer to the residual stream, and takes the logits. */
export function decoder(
  m: ModelBuilder,
  layer: (x: Ref, index: number) => Ref,
  head: (x: Ref) => Ref = (x) => logits(m, m.rmsNorm(x, "output_norm")),
  embedding: Ref = m.embed("token_embd"),
): Ref {
  let x = embedding;
  for (const index of m.layers(m.h.layers)) x = layer(x, index);
  return head(m.select(x));
}

/** x plus the learned embedding of its position, where the file has that. */
export function learnedPositions(m: ModelBuilder, x: Ref): Ref {
  if (!m.has("position_embd")) return x;
  const rows = m.shape("position_embd")[1];
  if (m.h.contextLength > rows)
    m.fail(
      `it knows ${rows} positions, fewer than a context of ${m.h.contextLength}`,
      "position_embd",
    );
  return m.add(x, m.embed("position_embd", "position"));
}

/**
 * The output matrix, which is the token table where the file has none; embedding models end before
 * it.
 */
export function logits(m: ModelBuilder, x: Ref): Ref {
  if (m.embeds) return x;
  return m.linear(x, m.has("output") ? "output" : "token_embd");
}

export interface AttentionBlock extends Partial<Omit<AttentionSettings, "slot">> {
  readonly rope?: Rope;
  readonly layer: number;
  /**
   * Norm of q and k, applied before rope unless `normAfterRope`. Default: per-head RMS if the file
   * has the tensors.
   */
  readonly norm?: (x: Ref, stem: string, width: number) => Ref;
  readonly normAfterRope?: boolean;
  /** Limit of ±q, k, v. */
  readonly clamp?: number;
  /** Applied to the queries last. */
  readonly query?: (q: Ref) => Ref;
  /** Applied to the joined heads, with attention's own input, before the output projection. */
  readonly joined?: (heads: Ref, x: Ref) => Ref;
}

/**
 * q, k and v of the current layer, from three matrices or from one that holds their rows one after
 * another.
 */
export function queryKeyValue(
  m: ModelBuilder,
  x: Ref,
  layer: number,
  clamp = 0,
): { q: Ref; k: Ref; v: Ref } {
  const { h } = m;
  const [heads, kv] = [h.headsOf[layer], h.kvHeadsOf[layer]];
  if (heads === 0) h.fail("attention.head_count", heads, `heads in layer ${layer}`);
  if (kv === 0) h.fail("attention.head_count_kv", kv, `heads in layer ${layer}`);
  const sizes = [heads * h.keyWidth, kv * h.keyWidth, kv * h.valueWidth];
  let first = 0;
  const [q, k, v] = ["attn_q", "attn_k", "attn_v"].map((stem, i) => {
    const rows = m.has("attn_qkv") ? { first, out: sizes[i] } : undefined;
    first += sizes[i];
    const value = m.linear(x, rows ? "attn_qkv" : stem, rows);
    if (m.width(value) !== sizes[i])
      m.fail(
        `"${stem}" makes ${m.width(value)} elements, expected ${sizes[i]}, because ` +
          `"${h.key("attention.head_count")}" is ${heads}, "${h.key("attention.head_count_kv")}" ` +
          `${kv} and heads are ${h.keyWidth} wide`,
        stem,
      );
    return value;
  });
  return { q: m.clamp(q, clamp), k: m.clamp(k, clamp), v: m.clamp(v, clamp) };
}

/** RMS norm of each head, where the file has its weights. */
export function headNorm(m: ModelBuilder): (x: Ref, stem: string, width: number) => Ref {
  return (x, stem, width) => (m.has(stem) ? m.rmsNorm(x, stem, width) : x);
}

/** Attention of the (normed) rows to their own past, with its projections. */
export function selfAttention(m: ModelBuilder, x: Ref, block: AttentionBlock): Ref {
  const { h } = m;
  const { layer, rope, window = 0, norm = headNorm(m) } = block;
  const heads = h.headsOf[layer];
  let { q, k, v } = queryKeyValue(m, x, layer, block.clamp);
  const turn = (r: Ref): Ref => (rope ? m.rope(r, h.keyWidth, rope.style, rope.table) : r);
  if (block.normAfterRope) [q, k] = [turn(q), turn(k)];
  q = norm(q, "attn_q_norm", h.keyWidth);
  k = norm(k, "attn_k_norm", h.keyWidth);
  if (!block.normAfterRope) [q, k] = [turn(q), turn(k)];
  if (block.query) q = block.query(q);
  const slot = m.kvSlot(h.kvHeadsOf[layer], h.keyWidth, h.valueWidth, window);
  const scale = block.scale ?? (h.number("attention.scale", 0) || 1 / Math.sqrt(h.keyWidth));
  let joined = m.attention(q, k, v, { ...block, heads, slot, scale });
  if (block.joined) joined = block.joined(joined, x);
  return m.linear(joined, "attn_output");
}

/** down(activation(gate(x)) · up(x)); gate and up may be the two halves of `ffn_up`. */
export function gatedFfn(m: ModelBuilder, x: Ref, kind: Activation, suffix = ""): Ref {
  const [gate, up, down] = ["ffn_gate", "ffn_up", "ffn_down"].map((stem) => stem + suffix);
  if (m.has(gate)) return m.linear(m.gated(m.linear(x, gate), m.linear(x, up), kind), down);
  const out = m.shape(up)[1] / 2;
  const halves = [0, out].map((first) => m.linear(x, up, { first, out }));
  return m.linear(m.gated(halves[0], halves[1], kind), down);
}

/** down(activation(up(x))). */
export function plainFfn(
  m: ModelBuilder,
  x: Ref,
  kind: Activation,
  params?: number[],
  suffix = "",
): Ref {
  const inner = m.activation(m.linear(x, `ffn_up${suffix}`), kind, params);
  return m.linear(inner, `ffn_down${suffix}`);
}

export interface Experts extends Partial<Omit<RouteParams, "experts">> {
  readonly kind?: Activation | "swigluOai";
  /** Router logits, where they are not `ffn_gate_inp` of the experts' input. */
  readonly router?: Ref;
  /** Weigh the experts' input instead of their output. */
  readonly weighInput?: boolean;
}

/** A mixture of experts: each row goes through the `used` best of them. */
export function experts(m: ModelBuilder, x: Ref, options: Experts = {}): Ref {
  const { h } = m;
  const { kind = "silu", weighInput = false } = options;
  if (m.has("ffn_up.0") || m.has("ffn_down.0"))
    m.fail(
      "each expert has tensors of its own, as in files from before April 2024; convert the model " +
        "to GGUF again with a newer llama.cpp, which stacks them in one",
      "ffn_up.0",
    );
  const router = options.router ?? m.linear(x, "ffn_gate_inp");
  const bias = m.has("exp_probs_b.bias") ? "exp_probs_b.bias" : "exp_probs_b";
  const route = m.moeRoute(router, {
    used: options.used ?? h.integer("expert_used_count"),
    gate: options.gate ?? expertGate(m),
    selectionBias: options.selectionBias ?? m.optional(bias, m.width(router)),
    groups: options.groups ?? 1,
    groupsUsed: options.groupsUsed ?? 1,
    normalize: options.normalize ?? h.boolean("expert_weights_norm", false),
    scale: options.scale ?? (h.number("expert_weights_scale", 0) || 1),
  });
  const input = weighInput ? m.moeScale(x, route) : x;
  const each = (stem: string, rows?: { first: number; out: number }): Ref =>
    m.moeLinear(input, route, stem, weighInput, rows);
  let inner: Ref;
  if (m.has("ffn_gate_up_exps")) {
    const out = m.shape("ffn_gate_up_exps")[1] / 2;
    const halves = [0, out].map((first) => each("ffn_gate_up_exps", { first, out }));
    inner = m.gated(halves[0], halves[1], kind);
  } else if (m.has("ffn_gate_exps"))
    inner = m.gated(each("ffn_gate_exps"), each("ffn_up_exps"), kind);
  else inner = m.activation(each("ffn_up_exps"), kind as Activation);
  return m.moeSum(m.moeLinear(inner, route, "ffn_down_exps", true), route, weighInput);
}

/** The score function that `expert_gating_func` names. */
export function expertGate(m: ModelBuilder, fallback = 1): RouteParams["gate"] {
  const kinds = { 1: "softmax", 2: "sigmoid", 3: "softmaxChosen" } as const;
  const number = m.h.integer("expert_gating_func", 0) || fallback;
  const kind = kinds[number as keyof typeof kinds];
  return kind ?? m.h.fail("expert_gating_func", number, "1, 2 or 3");
}
