/** SmolLM3: Llama without rotation in every fourth layer. */
import type { Family } from "./parts/model.ts";
import { ropeOf } from "./parts/rope.ts";
import { transformer } from "./parts/transformer.ts";

export const smollm3: Family = (m) => {
  const rope = ropeOf(m, "norm");
  return transformer(m, { rope: (layer) => ((layer + 1) % 4 === 0 ? undefined : rope) });
};
