/** Arcee AFM: Llama with squared ReLU instead of a gate. */
import { plainFfn } from "./parts/ffn.ts";
import type { Family } from "./parts/model.ts";
import { ropeOf } from "./parts/rope.ts";
import { transformer } from "./parts/transformer.ts";

export const arcee: Family = (m) => {
  const rope = ropeOf(m, "norm");
  return transformer(m, { rope: () => rope, ffn: (x) => plainFfn(m, x, "relu2") });
};
