/**
 * StableLM 2: layer norms, a part of each head rotated, feed-forward beside attention where it has
 * no norm.
 */
import { ropeOf } from "./blocks.ts";
import type { Family } from "./model.ts";
import { transformer } from "./transformer.ts";

export const stablelm: Family = (m) => {
  const rope = ropeOf(m, "neox");
  return transformer(m, {
    rope: () => rope,
    norm: (x, stem) => m.layerNorm(x, stem),
    attention: () => ({
      norm: (x, stem, width) =>
        m.has(stem) ? m.mulWeight(m.layerNorm(x, undefined, width), stem) : x,
    }),
    parallel: m.h.boolean("use_parallel_residual", !m.has("blk.0.ffn_norm.weight")),
  });
};
