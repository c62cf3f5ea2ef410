/** DBRX: layer norms without biases, clamped queries, keys and values, four experts of many. */
import { experts } from "./parts/ffn.ts";
import type { Family } from "./parts/model.ts";
import { transformer } from "./parts/transformer.ts";

export const dbrx: Family = (m) => {
  const clamp = m.h.number("attention.clamp_kqv");
  return transformer(m, {
    rope: "neox",
    norm: (x, stem) => m.layerNorm(x, stem),
    norms: { ffn: "attn_output_norm" },
    attention: () => ({ clamp }),
    ffn: (x) => experts(m, x, { gate: "softmax", normalize: true }),
  });
};
