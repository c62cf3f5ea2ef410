/**
 * StableLM 2: layer norms, a part of each head rotated, feed-forward beside attention where it has
 * no norm.
 */
import { headLayerNorm } from "./parts/attention.ts";
import type { Family } from "./parts/model.ts";
import { ropeOf } from "./parts/rope.ts";
import { transformer } from "./parts/transformer.ts";

export const stablelm: Family = (m) => {
  const rope = ropeOf(m, "neox");
  return transformer(m, {
    rope: () => rope,
    norm: (x, stem) => m.layerNorm(x, stem),
    attention: () => ({ norm: headLayerNorm(m) }),
    parallel: m.h.boolean("use_parallel_residual", !m.has("blk.0.ffn_norm.weight")),
  });
};
