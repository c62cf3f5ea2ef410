/** Hunyuan: Llama with norms of queries and keys after their rotation. */
import type { Family } from "./parts/model.ts";
import { ropeOf } from "./parts/rope.ts";
import { transformer } from "./parts/transformer.ts";

export const hunyuan: Family = (m) => {
  const rope = ropeOf(m, "neox");
  return transformer(m, { rope: () => rope, attention: () => ({ normAfterRope: true }) });
};
