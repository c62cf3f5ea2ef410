/** Nanbeige: Llama, whose layers version 4.2 goes through twice, with the output norm in between. */
import type { Family } from "./parts/model.ts";
import { transformer } from "./parts/transformer.ts";

export const nanbeige: Family = (m) => {
  const { h } = m;
  const plain = h.boolean("skip_loop_final_norm", false);
  return transformer(m, {
    rope: "norm",
    passes: {
      count: h.within("num_loops", 1, 64, 1),
      between: (x) => (plain ? x : m.rmsNorm(x, "output_norm")),
    },
  });
};
