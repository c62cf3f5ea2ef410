/**
 * StableLM 2: layer norms, a part of each head rotated, feed-forward beside attention where it has
 * no norm.
 */
import { headLayerNorm } from "./parts/attention.ts";
import type { Family } from "./parts/model.ts";
import { transformer } from "./parts/transformer.ts";

export const stablelm: Family = (m) =>
  transformer(m, {
    rope: "neox",
    norm: (x, stem) => m.layerNorm(x, stem),
    attention: () => ({ norm: headLayerNorm(m) }),
    // The file's own flag says nothing: converters set it for models of either kind.
    parallel: !m.has("blk.0.ffn_norm.weight"),
  });
