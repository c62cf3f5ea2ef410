/**
 * MiniMax M2: norms over all query and all key heads, sigmoid routing with a bias for the choice.
 */
import { experts } from "./parts/ffn.ts";
import type { Family } from "./parts/model.ts";
import { ropeOf } from "./parts/rope.ts";
import { transformer } from "./parts/transformer.ts";

export const minimaxM2: Family = (m) => {
  const rope = ropeOf(m, "neox");
  return transformer(m, {
    rope: () => rope,
    attention: () => ({ norm: (x, stem) => m.rmsNorm(x, stem) }),
    ffn: (x) => experts(m, x, { normalize: true }),
  });
};
