/**
 * Falcon-H1 (https://arxiv.org/abs/2507.22448): attention and Mamba-2 side by side in every layer.
 */
import { decoder, gatedFfn, ropeOf, selfAttention } from "./blocks.ts";
import { mamba2Mixer } from "./mamba.ts";
import type { Family } from "./model.ts";

export const falconH1: Family = (m) => {
  const rope = ropeOf(m, "neox");
  return decoder(m, (x, layer) => {
    const y = m.rmsNorm(x, "attn_norm");
    const mixed = m.add(selfAttention(m, y, { layer, rope }), mamba2Mixer(m, y));
    const after = m.add(x, mixed);
    return m.add(after, gatedFfn(m, m.rmsNorm(after, "ffn_norm"), "silu"));
  });
};
