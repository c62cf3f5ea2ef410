/**
 * OLMoE (https://arxiv.org/abs/2409.02060): experts weighed by an unnormalised softmax, norms over
 * all heads.
 */
import { experts, ropeOf } from "./blocks.ts";
import type { Family } from "./model.ts";
import { transformer } from "./transformer.ts";

export const olmoe: Family = (m) => {
  const rope = ropeOf(m, "neox");
  return transformer(m, {
    rope: () => rope,
    attention: () => ({ norm: (x, stem) => m.rmsNorm(x, stem) }),
    ffn: (x) => experts(m, x, { normalize: false }),
  });
};
