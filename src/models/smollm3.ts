/** SmolLM3: Llama without rotation in every fourth layer. */
import { ropeOf } from "./blocks.ts";
import type { Family } from "./model.ts";
import { transformer } from "./transformer.ts";

export const smollm3: Family = (m) => {
  const rope = ropeOf(m, "norm");
  return transformer(m, { rope: (layer) => ((layer + 1) % 4 === 0 ? undefined : rope) });
};
