/** Seed-OSS: Llama whose norm before the feed-forward is called post-attention. */
import type { Family } from "./parts/model.ts";
import { transformer } from "./parts/transformer.ts";

export const seedOss: Family = (m) =>
  transformer(m, { rope: "neox", norms: { ffn: "post_attention_norm" } });
