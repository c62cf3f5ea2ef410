/** What a tensor is, by its name. */

export type Kind =
  | "output"
  | "token_embd"
  | "attn_qkv"
  | "attn_kv_b"
  | "attn_v"
  | "attn_k"
  | "attn_q"
  | "attn_output"
  | "ffn_up"
  | "ffn_gate"
  | "ffn_down"
  | "other";

const within: readonly (readonly [part: string, kind: Kind])[] = [
  ["attn_qkv.weight", "attn_qkv"],
  ["attn_kv_b.weight", "attn_kv_b"],
  ["attn_v.weight", "attn_v"],
  ["attn_k.weight", "attn_k"],
  ["attn_q.weight", "attn_q"],
  ["attn_output.weight", "attn_output"],
  ["ffn_up", "ffn_up"],
  ["ffn_gate", "ffn_gate"],
  ["ffn_down", "ffn_down"],
];

export const isEmbedding = (name: string): boolean =>
  name === "token_embd.weight" || name === "per_layer_token_embd.weight";

export function kindOf(name: string): Kind {
  if (name === "output.weight") return "output";
  if (isEmbedding(name)) return "token_embd";
  return within.find(([part]) => name.includes(part))?.[1] ?? "other";
}

/** Small or delicate tensors that stay as they are, by a part of their names. */
const kept: readonly string[] = [
  "_norm.weight",
  ...["ffn_gate_inp.weight", "ffn_gate_tid2eid.weight"],
  ...["altup", "laurel", "per_layer_model_proj"],
  ...["ssm_conv1d", "shortconv.conv.weight"],
  ...["indexer.k_proj.weight", "indexer.q_proj.weight"],
  ...["first", "w0", "w1", "w2", "v0", "v1", "v2", "a0", "a1", "a2", "g1", "g2"].map(
    (part) => `time_mix_${part}.weight`,
  ),
  ...["time_mix_decay_w1.weight", "time_mix_decay_w2.weight", "time_mix_lerp_fused.weight"],
  "attn_rel_b.weight",
  ...[".position_embd", "sam.pos_embd", "sam.neck.", "sam.net_", ".rel_pos"],
  ...[".patch_embd", ".patch_merger", "a.rvq.codebook", "mm.a.code_embd"],
];

/** Lengths without trailing ones, but the first. */
export function dimensions(shape: readonly number[]): readonly number[] {
  let count = shape.length;
  while (count > 1 && shape[count - 1] === 1) count--;
  return shape.slice(0, count);
}

/** Whether a tensor is one that quantising changes: a matrix, or several, of weights. */
export function isQuantized(name: string, shape: readonly number[]): boolean {
  if (dimensions(shape).length < 2 || !name.endsWith("weight")) return false;
  if (name === "position_embd.weight" || name === "token_types.weight") return false;
  return !kept.some((part) => name.includes(part));
}

const layer = (name: string): number => Number(/^blk\.(\d+)\./.exec(name)?.[1] ?? -1);

/** llama.cpp's order of tensors: those of no layer, then by layer; by name within. */
export function byLayer(a: string, b: string): number {
  return layer(a) - layer(b) || (a < b ? -1 : a > b ? 1 : 0);
}

/** The layer of a tensor; undefined where the name has none. */
export function layerOf(name: string): number | undefined {
  const found = layer(name);
  return found < 0 ? undefined : found;
}
