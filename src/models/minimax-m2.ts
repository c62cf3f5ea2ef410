/**
 * MiniMax M2: norms over all query and all key heads, sigmoid routing with a bias for the choice.
 */
import { experts } from "./parts/ffn.ts";
import type { Family } from "./parts/model.ts";
import { transformer } from "./parts/transformer.ts";

export const minimaxM2: Family = (m) =>
  transformer(m, {
    rope: "neox",
    attention: () => ({ norm: (x, stem) => m.rmsNorm(x, stem) }),
    ffn: (x) => experts(m, x, { normalize: true }),
  });
