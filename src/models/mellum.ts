/** Mellum: sliding and full layers in turn, of which only the full ones stretch their rotation. */
import { ropeOf } from "./blocks.ts";
import type { Family } from "./model.ts";
import { transformer } from "./transformer.ts";
import { slidingLayers } from "./window.ts";

export const mellum: Family = (m) => {
  const { h } = m;
  const rope = ropeOf(m, "neox");
  const window = h.integer("attention.sliding_window", 0);
  const sliding = slidingLayers(h, 4).map((flag) => flag && window > 0);
  const slidingRope = ropeOf(m, "neox", {
    base: h.number("rope.freq_base_swa", h.number("rope.freq_base", 10000)),
    freqScale: 1,
    extFactor: 0,
    attnFactor: 1,
  });
  return transformer(m, {
    rope: (layer) => (sliding[layer] ? slidingRope : rope),
    attention: (layer) => ({ window: sliding[layer] ? window : 0 }),
  });
};
