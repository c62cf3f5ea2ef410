/** PLaMo: attention and feed-forward side by side after one RMS norm. */
import type { Family } from "./parts/model.ts";
import { ropeOf } from "./parts/rope.ts";
import { transformer } from "./parts/transformer.ts";

export const plamo: Family = (m) => {
  const rope = ropeOf(m, "neox");
  return transformer(m, { rope: () => rope, parallel: true });
};
