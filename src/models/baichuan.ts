/** Baichuan (https://arxiv.org/abs/2309.10305): Llama; the 13B model (40 layers) has ALiBi. */
import type { Family } from "./parts/model.ts";
import { transformer } from "./parts/transformer.ts";

export const baichuan: Family = (m) => {
  if (m.h.layers === 40) return transformer(m, { attention: () => ({ alibi: 8 }) });
  return transformer(m, { rope: "norm" });
};
