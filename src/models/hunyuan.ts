/** Hunyuan: Llama with norms of queries and keys after their rotation. */
import type { Family } from "./parts/model.ts";
import { ropeOf } from "./parts/rope.ts";
import { transformer } from "./parts/transformer.ts";

export const hunyuan: Family = (m) => {
  const { h } = m;
  // NTK-aware scaling: the vision models name its factor, the others hold the base that it gives.
  const alpha = h.number("rope.scaling.alpha", 0);
  const grown = alpha > 0 ? alpha ** (h.keyWidth / (h.keyWidth - 2)) : 1;
  return transformer(m, {
    rope: ropeOf(m, "neox", { base: h.number("rope.freq_base", 10000) * grown }),
    attention: () => ({ normAfterRope: true }),
  });
};
