/**
 * OLMo 2 (https://arxiv.org/abs/2501.00656): norms after the blocks only, and over all query and
 * key heads.
 */
import type { Family } from "./parts/model.ts";
import { transformer } from "./parts/transformer.ts";
import { slidingTurns, unstretched } from "./parts/window.ts";

export const olmo2: Family = (m) => {
  // OLMo 3 stretches the rotation of its full layers only.
  const turn = slidingTurns(m, "neox", { every: 4, window: 0, ...unstretched });
  return transformer(m, {
    norms: {
      attention: null,
      afterAttention: "post_attention_norm",
      ffn: null,
      afterFfn: "post_ffw_norm",
    },
    attention: (layer) => ({ ...turn(layer), norm: (x, stem) => m.rmsNorm(x, stem) }),
  });
};
