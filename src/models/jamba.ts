/**
 * Jamba (https://arxiv.org/abs/2403.19887): Mamba layers with some attention, which knows no
 * positions.
 */
import { decoder, selfAttention } from "./blocks.ts";
import { mamba1Mixer } from "./mamba.ts";
import type { Family } from "./model.ts";
import { denseOrExperts } from "./transformer.ts";

export const jamba: Family = (m) =>
  decoder(m, (x, layer) => {
    const y = m.rmsNorm(x, "attn_norm");
    const mixed = m.h.kvHeadsOf[layer] > 0 ? selfAttention(m, y, { layer }) : mamba1Mixer(m, y);
    const after = m.add(x, mixed);
    const ffn = denseOrExperts(m, m.rmsNorm(after, "ffn_norm"), { normalize: false });
    return m.add(after, ffn);
  });
