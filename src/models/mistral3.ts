/**
 * Ministral 3: Llama with YaRN, and queries that grow with the position beyond the original
 * context.
 */
import { ropeOf } from "./blocks.ts";
import type { Family } from "./model.ts";
import { attentionTemperature } from "./temperature.ts";
import { transformer } from "./transformer.ts";

export const mistral3: Family = (m) => {
  const rope = ropeOf(m, "norm", {
    logMultiplier: m.h.number("rope.scaling.yarn_log_multiplier", 0),
  });
  const query = attentionTemperature(m, 0);
  return transformer(m, { rope: () => rope, attention: () => ({ query }) });
};
