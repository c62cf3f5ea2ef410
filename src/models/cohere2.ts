/** Command R7B: Command R with three sliding layers to each full one, which knows no positions. */
import { headLayerNorm } from "./parts/attention.ts";
import { logits } from "./parts/decoder.ts";
import type { Family } from "./parts/model.ts";
import { transformer } from "./parts/transformer.ts";
import { slidingLayers, slidingRopeOf } from "./parts/window.ts";

export const cohere2: Family = (m) => {
  const { h } = m;
  const rope = slidingRopeOf(m, "norm");
  const logitScale = h.number("logit_scale");
  const sliding = slidingLayers(h, 4);
  const window = h.integer("attention.sliding_window");
  return transformer(m, {
    rope: (layer) => (sliding[layer] ? rope : undefined),
    norm: (x, stem) => m.layerNorm(x, stem),
    parallel: true,
    attention: (layer) => ({ window: sliding[layer] ? window : 0, norm: headLayerNorm(m) }),
    logits: (x) => m.scale(logits(m, x), logitScale),
  });
};
