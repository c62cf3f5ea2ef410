/**
 * Phi-3 (https://arxiv.org/abs/2404.14219) and its mixture of experts: Llama with LongRoPE and
 * fused matrices.
 */
import { ropeOf } from "./blocks.ts";
import type { Family } from "./model.ts";
import { transformer } from "./transformer.ts";

export const phi3: Family = (m) => {
  const rope = ropeOf(m, "neox");
  return transformer(m, { rope: () => rope });
};
