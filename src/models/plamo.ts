/** PLaMo: attention and feed-forward side by side after one RMS norm. */
import { ropeOf } from "./blocks.ts";
import type { Family } from "./model.ts";
import { transformer } from "./transformer.ts";

export const plamo: Family = (m) => {
  const rope = ropeOf(m, "neox");
  return transformer(m, { rope: () => rope, parallel: true });
};
