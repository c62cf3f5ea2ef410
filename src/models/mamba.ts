/** Mamba (https://arxiv.org/abs/2312.00752) and Mamba-2 (https://arxiv.org/abs/2405.21060). */
import type { Ref } from "../graph/ops.ts";
import { decoder } from "./parts/decoder.ts";
import { mamba1Mixer, mamba2Mixer } from "./parts/mamba-mixers.ts";
import type { Family, ModelBuilder } from "./parts/model.ts";

/** Nothing but mixers, each after a norm. */
const mixers =
  (mixer: (m: ModelBuilder, y: Ref) => Ref): Family =>
  (m) =>
    decoder(m, (x) => m.add(x, mixer(m, m.rmsNorm(x, "attn_norm"))));

export const mamba: Family = mixers(mamba1Mixer);
export const mamba2: Family = mixers(mamba2Mixer);
