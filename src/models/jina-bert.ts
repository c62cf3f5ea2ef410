/** Jina Embeddings 2 (https://arxiv.org/abs/2310.19923): BERT with ALiBi and a gate. */
import { encoder } from "./parts/encoder.ts";
import type { Family } from "./parts/model.ts";

export const jinaBertV2: Family = encoder({ alibi: 8, gate: "gelu" });

/** Jina Embeddings 3 (https://arxiv.org/abs/2409.10173): BERT with a rotation. */
export const jinaBertV3: Family = encoder({ rope: "neox" });
