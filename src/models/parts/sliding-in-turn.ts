/**
 * Decoders with sliding and full layers in turn, of which only the full ones stretch their
 * rotation.
 */
import { denseOrExperts, type Experts } from "./ffn.ts";
import type { Family } from "./model.ts";
import { ropeOf } from "./rope.ts";
import { type Transformer, transformer } from "./transformer.ts";
import { slidingLayers, slidingRopeOf, unstretched } from "./window.ts";

/**
 * `base`: that of the sliding layers' rotation where the file does not say (default: that of the full
 * ones); `every`: one layer in so many is a full one; `parts`: anything else that differs from Llama.
 */
export function slidingInTurn(
  experts: Experts,
  base?: number,
  every = 4,
  parts: Transformer = {},
): Family {
  return (m) => {
    const { h } = m;
    const rope = ropeOf(m, "neox");
    const window = h.integer("attention.sliding_window", 0);
    const sliding = slidingLayers(h, every).map((flag) => flag && window > 0);
    const slidingRope = slidingRopeOf(m, "neox", { base, ...unstretched });
    return transformer(m, {
      rope: (layer) => (sliding[layer] ? slidingRope : rope),
      attention: (layer) => ({
        sinks: m.has("attn_sinks") ? "attn_sinks" : undefined,
        window: sliding[layer] ? window : 0,
        joined: (heads) => m.scale(heads, h.number("attention.value_scale", 1)),
      }),
      ffn: (x) => denseOrExperts(m, x, experts),
      ...parts,
    });
  };
}
