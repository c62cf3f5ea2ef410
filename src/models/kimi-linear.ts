/**
 * Kimi Linear (https://arxiv.org/abs/2510.26692): a delta rule with decays by channel, and latent
 * attention.
 */
import type { Ref } from "../graph/ops.ts";
import { decoder } from "./parts/decoder.ts";
import { denseOrExperts } from "./parts/ffn.ts";
import { latentAttention } from "./parts/latent.ts";
import type { Family, ModelBuilder } from "./parts/model.ts";

/** The delta rule on queries, keys and values that are convolved one by one. */
function deltaAttention(m: ModelBuilder, y: Ref, heads: number): Ref {
  const width = m.h.integer("kda.head_dim");
  const [q, k, v] = ["q", "k", "v"].map((part) =>
    m.activation(m.conv(m.linear(y, `attn_${part}`), `ssm_conv1d_${part}`), "silu"),
  );
  const low = m.linear(m.linear(y, "ssm_f_a"), "ssm_f_b");
  const step = m.activation(m.addWeight(low, "ssm_dt.bias"), "softplus");
  const mixed = m.deltaNet({
    q: m.l2Norm(q, width, m.facts.rmsEps),
    k: m.l2Norm(k, width, m.facts.rmsEps),
    v,
    g: m.mulWeight(step, "ssm_a", width),
    beta: m.activation(m.linear(y, "ssm_beta"), "sigmoid"),
    heads,
    keyHeads: heads,
    keyWidth: width,
    valueWidth: width,
    scale: 1 / Math.sqrt(width),
    tiled: false,
  });
  const gate = m.linear(m.linear(y, "ssm_g_a"), "ssm_g_b");
  return m.linear(m.gated(gate, m.rmsNorm(mixed, "ssm_norm", width), "sigmoid"), "attn_output");
}

export const kimiLinear: Family = (m) =>
  decoder(m, (x, layer) => {
    const y = m.rmsNorm(x, "attn_norm");
    const latent = m.h.kvHeadsOf[layer] > 0;
    const mixed = latent ? latentAttention(m, y, { layer }) : deltaAttention(m, y, m.h.heads);
    const after = m.add(x, mixed);
    return m.add(after, denseOrExperts(m, m.rmsNorm(after, "ffn_norm"), { normalize: true }));
  });
