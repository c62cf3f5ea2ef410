/** Command R: attention and feed-forward side by side after one layer norm. */
import { headLayerNorm } from "./parts/attention.ts";
import { logits } from "./parts/decoder.ts";
import type { Family } from "./parts/model.ts";
import { transformer } from "./parts/transformer.ts";

export const commandR: Family = (m) => {
  const logitScale = m.h.number("logit_scale");
  return transformer(m, {
    rope: "norm",
    norm: (x, stem) => m.layerNorm(x, stem),
    parallel: true,
    attention: () => ({ norm: headLayerNorm(m) }),
    logits: (x) => m.scale(logits(m, x), logitScale),
  });
};
