/** Phi-2: attention and feed-forward side by side after one layer norm. */
import { logits, plainFfn, ropeOf } from "./blocks.ts";
import type { Family } from "./model.ts";
import { transformer } from "./transformer.ts";

export const phi2: Family = (m) => {
  const rope = ropeOf(m, "neox");
  return transformer(m, {
    rope: () => rope,
    norm: (x, stem) => m.layerNorm(x, stem),
    parallel: true,
    ffn: (x) => plainFfn(m, x, "gelu"),
    logits: (x) => logits(m, x),
  });
};
