/** Arcee AFM: Llama with squared ReLU instead of a gate. */
import { plainFfn } from "./parts/ffn.ts";
import type { Family } from "./parts/model.ts";
import { transformer } from "./parts/transformer.ts";

export const arcee: Family = (m) =>
  transformer(m, { rope: "norm", ffn: (x) => plainFfn(m, x, "relu2") });
