/**
 * Refact and Baichuan: Llama with ALiBi (https://arxiv.org/abs/2108.12409) instead of a rotation.
 */
import { ropeOf } from "./blocks.ts";
import type { Family } from "./model.ts";
import { transformer } from "./transformer.ts";

/** The largest bias, which the files do not say. */
const alibi = 8;

export const refact: Family = (m) => transformer(m, { attention: () => ({ alibi }) });

/** The 13B model (40 layers) has ALiBi, the 7B model rotates. */
export const baichuan: Family = (m) => {
  if (m.h.layers === 40) return refact(m);
  const rope = ropeOf(m, "norm");
  return transformer(m, { rope: () => rope });
};
