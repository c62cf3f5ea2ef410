/** Phi-2: attention and feed-forward side by side after one layer norm. */
import { logits } from "./parts/decoder.ts";
import { plainFfn } from "./parts/ffn.ts";
import type { Family } from "./parts/model.ts";
import { transformer } from "./parts/transformer.ts";

export const phi2: Family = (m) =>
  transformer(m, {
    rope: "neox",
    norm: (x, stem) => m.layerNorm(x, stem),
    parallel: true,
    ffn: (x) => plainFfn(m, x, "gelu"),
    logits: (x) => logits(m, x),
  });
