/** Command R and Command R7B: attention and feed-forward side by side after one layer norm. */
import { logits, ropeOf } from "./blocks.ts";
import type { Family } from "./model.ts";
import { transformer } from "./transformer.ts";
import { slidingLayers } from "./window.ts";

/** The older models rotate in all layers; Cohere 2 rotates in its sliding layers only. */
export function cohere(version: 1 | 2): Family {
  return (m) => {
    const { h } = m;
    const rope = ropeOf(m, "norm");
    const logitScale = h.number("logit_scale", 1);
    const sliding = slidingLayers(h, 4).map((flag) => flag && version === 2);
    const window = version === 2 ? h.integer("attention.sliding_window") : 0;
    return transformer(m, {
      rope: (layer) => (version === 1 || sliding[layer] ? rope : undefined),
      norm: (x, stem) => m.layerNorm(x, stem),
      parallel: true,
      attention: (layer) => ({
        window: sliding[layer] ? window : 0,
        norm: (x, stem, width) =>
          m.has(stem) ? m.mulWeight(m.layerNorm(x, undefined, width), stem) : x,
      }),
      logits: (x) => m.scale(logits(m, x), logitScale),
    });
  };
}
