/**
 * Nemotron-H (https://arxiv.org/abs/2504.03624): each layer is one of Mamba-2, attention or
 * feed-forward.
 */
import type { Ref } from "../graph/ops.ts";
import { selfAttention } from "./parts/attention.ts";
import { decoder } from "./parts/decoder.ts";
import { experts, plainFfn } from "./parts/ffn.ts";
import { mamba2Mixer } from "./parts/mamba-mixers.ts";
import type { Family, ModelBuilder } from "./parts/model.ts";

/** Experts that may work on a narrower row, beside a shared one that does not. */
function sparse(m: ModelBuilder, x: Ref): Ref {
  const narrow = m.has("ffn_latent_down") ? m.linear(x, "ffn_latent_down") : x;
  const router = m.linear(x, "ffn_gate_inp");
  const routed = experts(m, narrow, { kind: "relu2", gate: "sigmoid", router });
  const wide = m.has("ffn_latent_up") ? m.linear(routed, "ffn_latent_up") : routed;
  return m.add(wide, plainFfn(m, x, "relu2", undefined, "_shexp"));
}

export const nemotronH: Family = (m) =>
  decoder(m, (x, layer) => {
    const y = m.rmsNorm(x, "attn_norm");
    if (m.has("ssm_in")) return m.add(x, mamba2Mixer(m, y));
    if (m.has("attn_output")) return m.add(x, selfAttention(m, y, { layer }));
    return m.add(x, m.has("ffn_gate_inp") ? sparse(m, y) : plainFfn(m, y, "relu2"));
  });
