/** Refact: Llama with ALiBi (https://arxiv.org/abs/2108.12409), whose bias the file does not say. */
import type { Family } from "./parts/model.ts";
import { transformer } from "./parts/transformer.ts";

export const refact: Family = (m) => transformer(m, { attention: () => ({ alibi: 8 }) });
