/** Llama (https://arxiv.org/abs/2302.13971) and the many models with the same forward pass. */
import { decoder, experts, gatedFfn, type Rope, selfAttention } from "./blocks.ts";
import type { Family } from "./model.ts";
import { ropeTable } from "./rope.ts";

/** Pre-norm attention and gated feed-forward (or a mixture of experts), each added to the stream. */
export function llama(style: Rope["style"]): Family {
  return (m) => {
    const rope = { style, table: ropeTable(m) };
    return decoder(m, (x, layer) => {
      x = m.add(x, selfAttention(m, m.rmsNorm(x, "attn_norm"), { layer, rope }));
      const y = m.rmsNorm(x, "ffn_norm");
      return m.add(
        x,
        m.has("ffn_gate_inp") ? experts(m, y, { normalize: true }) : gatedFfn(m, y, "silu"),
      );
    });
  };
}
