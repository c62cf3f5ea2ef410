/** Arcee AFM: Llama with squared ReLU instead of a gate. */
import { plainFfn, ropeOf } from "./blocks.ts";
import type { Family } from "./model.ts";
import { transformer } from "./transformer.ts";

export const arcee: Family = (m) => {
  const rope = ropeOf(m, "norm");
  return transformer(m, { rope: () => rope, ffn: (x) => plainFfn(m, x, "relu2") });
};
