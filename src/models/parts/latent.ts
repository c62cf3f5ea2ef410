/** Multi-head latent attention (https://arxiv.org/abs/2405.04434). */
import type { Ref } from "../../graph/ops.ts";
import type { ModelBuilder } from "./model.ts";
import type { Rope } from "./rope.ts";

export interface LatentAttention {
  readonly layer: number;
  /** Rotation of the last part of each query and of the one shared key part; none when left out. */
  readonly rope?: Rope;
  /** Factor on the scores besides 1 / √(key width). */
  readonly scale?: number;
  readonly query?: (q: Ref) => Ref;
  /** Stem of the output projection; null = the joined heads. */
  readonly output?: string | null;
}

/** Queries of all heads, by way of a narrow row where the file has that. */
function queries(m: ModelBuilder, y: Ref): Ref {
  if (!m.has("attn_q_a")) return m.linear(y, "attn_q");
  return m.linear(m.rmsNorm(m.linear(y, "attn_q_a"), "attn_q_a_norm"), "attn_q_b");
}

/**
 * The cache holds one narrow row a position, from which keys and values of all heads are made. With
 * `attn_k_b` and `attn_v_b` those matrices are applied to the queries and to the result instead, so
 * that all heads attend to the narrow row itself; with `attn_kv_b` keys and values are made.
 */
export function latentAttention(m: ModelBuilder, y: Ref, block: LatentAttention): Ref {
  const { h } = m;
  const { rope, query = (q: Ref): Ref => q } = block;
  const heads = h.headsOf[block.layer];
  const rank = h.integer("attention.kv_lora_rank");
  const rotated = h.integer("rope.dimension_count");
  const keyWidth = h.integer("attention.key_length_mla", h.keyWidth);
  const valueWidth = h.integer("attention.value_length_mla", h.valueWidth);
  const plain = keyWidth - rotated;
  if (plain < 1) h.fail("attention.key_length_mla", keyWidth, `more than ${rotated}`);
  const scale = (block.scale ?? 1) / Math.sqrt(keyWidth);
  const rotate = (x: Ref, width: number, start: number): Ref =>
    rope ? m.rope(x, width, rope.style, rope.table, start) : x;

  const q = rotate(queries(m, y), keyWidth, plain);
  const rows = m.linear(y, "attn_kv_a_mqa", { first: 0, out: rank });
  const shared = rotate(m.linear(y, "attn_kv_a_mqa", { first: rank, out: rotated }), rotated, 0);
  const narrow = m.rmsNorm(rows, "attn_kv_a_norm");
  let joined: Ref;
  if (m.has("attn_kv_b")) {
    const both = m.linear(narrow, "attn_kv_b");
    const k = m.concat(
      [m.slice(both, 0, plain, heads), m.concat(Array.from({ length: heads }, () => shared))],
      heads,
    );
    const v = m.slice(both, plain, valueWidth, heads);
    const slot = m.kvSlot(heads, keyWidth, valueWidth);
    joined = m.attention(query(q), k, v, { heads, slot, scale });
  } else {
    const absorbed = m.headLinear(m.slice(q, 0, plain, heads), "attn_k_b");
    const wide = m.concat([absorbed, m.slice(q, plain, rotated, heads)], heads);
    const slot = m.kvSlot(1, rank + rotated, rank, 0, true);
    const k = m.concat([narrow, shared]);
    joined = m.attention(query(wide), k, undefined, { heads, slot, scale });
    joined = m.headLinear(joined, "attn_v_b");
  }
  return block.output === null ? joined : m.linear(joined, block.output ?? "attn_output");
}
