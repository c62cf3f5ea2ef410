/** Nomic Embed (https://arxiv.org/abs/2402.01613): BERT with a rotation and a gate. */
import { encoder } from "./parts/encoder.ts";
import type { Family } from "./parts/model.ts";

export const nomicBert: Family = encoder({ rope: "neox", gate: "silu" });

/** Nomic Embed 2 (https://arxiv.org/abs/2502.07972): with experts in every other layer, ungated. */
export const nomicBertMoe: Family = encoder({ rope: "neox" });
