/** EXAONE 4: norms after the blocks only; the large model rotates in its sliding layers only. */
import type { Family } from "./parts/model.ts";
import { transformer } from "./parts/transformer.ts";
import { slidingTurns } from "./parts/window.ts";

export const exaone4: Family = (m) => {
  const hybrid = m.h.layers === 64;
  return transformer(m, {
    rope: hybrid ? undefined : "neox",
    norms: {
      attention: null,
      afterAttention: "post_attention_norm",
      ffn: null,
      afterFfn: "post_ffw_norm",
    },
    attention: hybrid
      ? slidingTurns(m, "neox", { every: 4, window: 4096, unrotated: true })
      : undefined,
  });
};
