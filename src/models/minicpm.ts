/** MiniCPM (https://arxiv.org/abs/2404.06395): Granite; the first files do not name their factors. */
import { factors } from "./parts/factors.ts";
import type { Family } from "./parts/model.ts";
import { transformer } from "./parts/transformer.ts";

export const minicpm: Family = (m) => {
  const { width, layers } = m.h;
  const usual = { embedding: 12, residual: 1.4 / Math.sqrt(layers), logits: width / 256 };
  return transformer(m, { ...factors(m, usual), rope: "norm" });
};
