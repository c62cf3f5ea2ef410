/** EXAONE MoE: norms before the blocks, rotation in the sliding layers only, experts. */
import { denseOrExperts } from "./parts/ffn.ts";
import type { Family } from "./parts/model.ts";
import { transformer } from "./parts/transformer.ts";
import { slidingTurns } from "./parts/window.ts";

export const exaoneMoe: Family = (m) => {
  const attention = slidingTurns(m, "neox", { every: 4, window: 128, unrotated: true });
  return transformer(m, { attention, ffn: (x) => denseOrExperts(m, x) });
};
