/**
 * Jamba (https://arxiv.org/abs/2403.19887): Mamba layers with some attention, which knows no
 * positions.
 */
import { selfAttention } from "./parts/attention.ts";
import { decoder } from "./parts/decoder.ts";
import { denseOrExperts } from "./parts/ffn.ts";
import { mamba1Mixer } from "./parts/mamba-mixers.ts";
import type { Family } from "./parts/model.ts";

export const jamba: Family = (m) =>
  decoder(m, (x, layer) => {
    const y = m.rmsNorm(x, "attn_norm");
    const mixed = m.h.kvHeadsOf[layer] > 0 ? selfAttention(m, y, { layer }) : mamba1Mixer(m, y);
    const after = m.add(x, mixed);
    const ffn = denseOrExperts(m, m.rmsNorm(after, "ffn_norm"), { normalize: false });
    return m.add(after, ffn);
  });
