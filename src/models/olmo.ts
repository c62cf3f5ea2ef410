/**
 * OLMo (https://arxiv.org/abs/2402.00838): norms without weights, clamped queries, keys and values.
 */
import type { Family } from "./parts/model.ts";
import { transformer } from "./parts/transformer.ts";

export const olmo: Family = (m) => {
  const clamp = m.h.number("attention.clamp_kqv", 0);
  return transformer(m, {
    rope: "norm",
    norm: (x) => m.layerNorm(x),
    attention: () => ({ clamp }),
  });
};
