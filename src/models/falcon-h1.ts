/**
 * Falcon-H1 (https://arxiv.org/abs/2507.22448): attention and Mamba-2 side by side in every layer.
 */
import { selfAttention } from "./parts/attention.ts";
import { decoder } from "./parts/decoder.ts";
import { gatedFfn } from "./parts/ffn.ts";
import { mamba2Mixer } from "./parts/mamba-mixers.ts";
import type { Family } from "./parts/model.ts";
import { ropeOf } from "./parts/rope.ts";

export const falconH1: Family = (m) => {
  const rope = ropeOf(m, "neox");
  return decoder(m, (x, layer) => {
    const y = m.rmsNorm(x, "attn_norm");
    const mixed = m.add(selfAttention(m, y, { layer, rope }), mamba2Mixer(m, y));
    const after = m.add(x, mixed);
    return m.add(after, gatedFfn(m, m.rmsNorm(after, "ffn_norm"), "silu"));
  });
};
