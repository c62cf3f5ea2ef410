/**
 * RWKV-7 (https://arxiv.org/abs/2503.14456): a matrix state a head that is corrected as it is read.
 */
import type { Ref } from "../graph/ops.ts";
import { decoder, logits } from "./parts/decoder.ts";
import type { Family, ModelBuilder } from "./parts/model.ts";

/** Epsilon of the norm of the heads, as in the paper's code. */
const headEps = 64e-5;

/** x mixed with the row before it, in as many ways as the weight has rows. */
function lerp(m: ModelBuilder, x: Ref, stem: string, ways: number): Ref[] {
  const before = m.add(m.shift(x), m.scale(x, -1));
  const repeat = (value: Ref): Ref =>
    ways === 1 ? value : m.concat(Array.from({ length: ways }, () => value));
  const mixed = m.add(m.mulWeight(repeat(before), stem), repeat(x));
  if (ways === 1) return [mixed];
  return Array.from({ length: ways }, (_, i) => m.slice(mixed, i * m.width(x), m.width(x)));
}

/** base + second(activation(first(x))). */
function lowRank(m: ModelBuilder, x: Ref, name: string, kind?: "tanh" | "sigmoid"): Ref {
  const narrow = m.linear(x, `time_mix_${name}1`);
  const wide = m.linear(kind ? m.activation(narrow, kind) : narrow, `time_mix_${name}2`);
  return m.has(`time_mix_${name}0`) ? m.addWeight(wide, `time_mix_${name}0`) : wide;
}

/** Attention's place; `first` is the first layer's value, which the others mix into theirs. */
export function timeMix(m: ModelBuilder, x: Ref, first: Ref | undefined): { y: Ref; value: Ref } {
  const headWidth = m.h.integer("wkv.head_size");
  const gated = m.has("time_mix_g1");
  const [xr, xw, xk, xv, xa, xg] = lerp(m, x, "time_mix_lerp_fused", gated ? 6 : 5);
  const r = m.linear(xr, "time_mix_receptance");
  const decay = m.activation(lowRank(m, xw, "w", "tanh"), "sigmoid");
  const w = m.activation(m.scale(decay, -Math.exp(-0.5)), "exp");
  const key = m.linear(xk, "time_mix_key");
  const own = m.linear(xv, "time_mix_value");
  let v = own;
  if (first !== undefined) {
    const share = m.activation(lowRank(m, xv, "v"), "sigmoid");
    v = m.add(own, m.mul(m.add(first, m.scale(own, -1)), share));
  }
  const a = m.activation(lowRank(m, xa, "a"), "sigmoid");
  const kk = m.l2Norm(m.mulWeight(key, "time_mix_k_k"), headWidth, 1e-12);
  // k · (1 + (a − 1) · k_a)
  const k = m.add(key, m.mul(m.mulWeight(key, "time_mix_k_a"), m.scale(a, 1, -1)));
  const heads = m.width(x) / headWidth;
  const read = m.wkv7({ r, w, k, v, a: m.scale(kk, -1), b: m.mul(kk, a), heads, headWidth });
  const normed = m.layerNorm(read, undefined, headWidth, headEps);
  const scaled = m.addWeight(m.mulWeight(normed, "time_mix_ln"), "time_mix_ln.bias");
  const bonus = m.mul(v, m.dot(m.mulWeight(k, "time_mix_r_k"), r, headWidth));
  const joined = m.add(scaled, bonus);
  const out = gated ? m.mul(joined, lowRank(m, xg, "g", "sigmoid")) : joined;
  return { y: m.linear(out, "time_mix_output"), value: first ?? own };
}

export const rwkv7: Family = (m) => {
  let first: Ref | undefined;
  return decoder(
    m,
    (x) => {
      const { y, value } = timeMix(m, m.layerNorm(x, "attn_norm"), first);
      first = value;
      const after = m.add(x, y);
      const [xk] = lerp(m, m.layerNorm(after, "attn_norm_2"), "channel_mix_lerp_k", 1);
      const inner = m.activation(m.linear(xk, "channel_mix_key"), "relu2");
      return m.add(after, m.linear(inner, "channel_mix_value"));
    },
    (x) => logits(m, m.layerNorm(x, "output_norm")),
    m.layerNorm(m.embed("token_embd"), "token_embd_norm"),
  );
};
