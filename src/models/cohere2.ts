/** Command R7B: Command R with three sliding layers to each full one, which knows no positions. */
import { headLayerNorm } from "./parts/attention.ts";
import { logits } from "./parts/decoder.ts";
import type { Family } from "./parts/model.ts";
import { transformer } from "./parts/transformer.ts";
import { slidingTurns } from "./parts/window.ts";

export const cohere2: Family = (m) => {
  const turn = slidingTurns(m, "norm", { every: 4, unrotated: true });
  const logitScale = m.h.number("logit_scale");
  return transformer(m, {
    norm: (x, stem) => m.layerNorm(x, stem),
    parallel: true,
    attention: (layer) => ({ ...turn(layer), norm: headLayerNorm(m) }),
    logits: (x) => m.scale(logits(m, x), logitScale),
  });
};
