/**
 * Ministral 3: Llama with YaRN, and queries that grow with the position beyond the original
 * context.
 */
import type { Family } from "./parts/model.ts";
import { ropeOf } from "./parts/rope.ts";
import { attentionTemperature } from "./parts/temperature.ts";
import { transformer } from "./parts/transformer.ts";

export const mistral3: Family = (m) => {
  const query = attentionTemperature(m, 0);
  return transformer(m, {
    rope: ropeOf(m, "norm", {
      logMultiplier: m.h.number("rope.scaling.yarn_log_multiplier", 0),
    }),
    attention: () => ({ query }),
  });
};
