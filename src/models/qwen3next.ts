/** Qwen3-Next: gated delta rule in most layers, gated attention in the others. */
import type { Ref } from "../graph/ops.ts";
import { decoder } from "./parts/decoder.ts";
import { denseOrExperts } from "./parts/ffn.ts";
import type { Family, ModelBuilder } from "./parts/model.ts";
import { type Rope, ropeOf } from "./parts/rope.ts";

/**
 * Attention whose heads are gated by a sigmoid that the query projection makes too, head by head.
 */
function gatedAttention(m: ModelBuilder, y: Ref, layer: number, rope: Rope): Ref {
  const { h } = m;
  const width = h.keyWidth;
  const heads = h.headsOf[layer];
  const kv = h.kvHeadsOf[layer];
  const both = m.linear(y, "attn_q");
  const rotate = (x: Ref): Ref => m.rope(x, width, rope.style, rope.table);
  const q = rotate(m.rmsNorm(m.slice(both, 0, width, heads), "attn_q_norm", width));
  const k = rotate(m.rmsNorm(m.linear(y, "attn_k"), "attn_k_norm", width));
  const v = m.linear(y, "attn_v");
  const slot = m.kvSlot(kv, width, h.valueWidth);
  const scale = h.number("attention.scale", 0) || 1 / Math.sqrt(width);
  const joined = m.attention(q, k, v, { heads, slot, scale });
  const gate = m.activation(m.slice(both, width, width, heads), "sigmoid");
  return m.linear(m.mul(joined, gate), "attn_output");
}

/** Queries, keys and values one after another, and the gate; early files mix them by key head. */
function projections(
  m: ModelBuilder,
  y: Ref,
  keyHeads: number,
  keyWidth: number,
): { qkv: Ref; z: Ref } {
  if (!m.has("ssm_in")) return { qkv: m.linear(y, "attn_qkv"), z: m.linear(y, "attn_gate") };
  const mixed = m.linear(y, "ssm_in");
  const values = (m.width(mixed) / keyHeads - 2 * keyWidth) / 2;
  const part = (offset: number, width: number): Ref => m.slice(mixed, offset, width, keyHeads);
  const [q, k] = [part(0, keyWidth), part(keyWidth, keyWidth)];
  const v = part(2 * keyWidth, values);
  return { qkv: m.concat([q, k, v]), z: part(2 * keyWidth + values, values) };
}

/**
 * The gated delta rule (https://arxiv.org/abs/2412.06464) on convolved queries, keys and values.
 */
function deltaRule(m: ModelBuilder, y: Ref): Ref {
  const { h } = m;
  const heads = h.within("ssm.time_step_rank", 1, 2 ** 16);
  const keyHeads = h.within("ssm.group_count", 1, heads);
  const keyWidth = h.integer("ssm.state_size");
  const valueWidth = h.integer("ssm.inner_size") / heads;
  const keys = keyHeads * keyWidth;
  const { qkv, z } = projections(m, y, keyHeads, keyWidth);
  const all = m.activation(m.conv(qkv, "ssm_conv1d"), "silu");
  // Qwen3-Next keeps the two small projections in one matrix, by key head.
  const tiled = !m.has("ssm_ba");
  const each = heads / keyHeads;
  const ba = tiled ? undefined : m.linear(y, "ssm_ba");
  const beta = ba === undefined ? m.linear(y, "ssm_beta") : m.slice(ba, 0, each, keyHeads);
  const alpha = ba === undefined ? m.linear(y, "ssm_alpha") : m.slice(ba, each, each, keyHeads);
  const step = m.activation(m.addWeight(alpha, "ssm_dt.bias"), "softplus");
  const mixed = m.deltaNet({
    q: m.l2Norm(m.slice(all, 0, keys), keyWidth, m.facts.rmsEps),
    k: m.l2Norm(m.slice(all, keys, keys), keyWidth, m.facts.rmsEps),
    v: m.slice(all, 2 * keys, heads * valueWidth),
    g: m.mulWeight(step, "ssm_a"),
    beta: m.activation(beta, "sigmoid"),
    heads,
    keyHeads,
    keyWidth,
    valueWidth,
    scale: 1 / Math.sqrt(keyWidth),
    tiled,
  });
  return m.linear(m.gated(z, m.rmsNorm(mixed, "ssm_norm", valueWidth), "silu"), "ssm_out");
}

export const qwen3next: Family = (m) => {
  const { h } = m;
  const sections = h.numbers("rope.dimension_sections", []);
  const multi = sections.length > 0 ? { sections, interleaved: true } : {};
  const rope = ropeOf(m, "neox", multi);
  const interval = h.within("full_attention_interval", 1, h.layers + 2 ** 16, 4);
  const recurrent = h.has("attention.recurrent_layers")
    ? h.perLayer("attention.recurrent_layers").map((flag) => flag !== 0)
    : Array.from({ length: h.layers }, (_, layer) => (layer + 1) % interval !== 0);
  return decoder(m, (x, layer) => {
    const y = m.rmsNorm(x, "attn_norm");
    const mixed = recurrent[layer] ? deltaRule(m, y) : gatedAttention(m, y, layer, rope);
    const after = m.add(x, mixed);
    const z = m.rmsNorm(after, "post_attention_norm");
    return m.add(after, denseOrExperts(m, z, { gate: "softmax", normalize: true }));
  });
};
