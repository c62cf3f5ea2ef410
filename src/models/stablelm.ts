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
    // The file's own flag says nothing: converters set it for models of either kind.
    parallel: !m.has("blk.0.ffn_norm.weight"),
  });
};
