/** Attention with its projections. */
import type { AttentionSettings } from "../../graph/builders/attention.ts";
import type { Ref } from "../../graph/ops.ts";
import type { ModelBuilder } from "./model.ts";
import type { Rope } from "./rope.ts";

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

/** Layer norm of each head with weights for all heads, where the file has them. */
export function headLayerNorm(m: ModelBuilder): (x: Ref, stem: string, width: number) => Ref {
  return (x, stem, width) =>
    m.has(stem) ? m.mulWeight(m.layerNorm(x, undefined, width), stem) : x;
}

/** Attention of the (normed) rows to their own past, with its projections. */
export function selfAttention(m: ModelBuilder, x: Ref, block: AttentionBlock): Ref {
  const { h } = m;
  const { layer, rope, window = 0, norm = headNorm(m) } = block;
  const heads = h.headsOf[layer];
  let { q, k, v } = queryKeyValue(m, x, layer, block.clamp);
  const rotate = (r: Ref): Ref => (rope ? m.rope(r, h.keyWidth, rope.style, rope.table) : r);
  if (block.normAfterRope) [q, k] = [rotate(q), rotate(k)];
  q = norm(q, "attn_q_norm", h.keyWidth);
  k = norm(k, "attn_k_norm", h.keyWidth);
  if (!block.normAfterRope) [q, k] = [rotate(q), rotate(k)];
  if (block.query) q = block.query(q);
  const slot = m.kvSlot(h.kvHeadsOf[layer], h.keyWidth, h.valueWidth, window);
  const scale = block.scale ?? (h.number("attention.scale", 0) || 1 / Math.sqrt(h.keyWidth));
  let joined = m.attention(q, k, v, { ...block, heads, slot, scale });
  if (block.joined) joined = block.joined(joined, x);
  return m.linear(joined, "attn_output");
}
