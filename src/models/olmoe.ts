/**
 * OLMoE (https://arxiv.org/abs/2409.02060): experts weighed by an unnormalised softmax, norms over
 * all heads.
 */
import { experts } from "./parts/ffn.ts";
import type { Family } from "./parts/model.ts";
import { transformer } from "./parts/transformer.ts";

export const olmoe: Family = (m) =>
  transformer(m, {
    rope: "neox",
    attention: () => ({ norm: (x, stem) => m.rmsNorm(x, stem) }),
    ffn: (x) => experts(m, x, { normalize: false }),
  });
