/** Seed-OSS: Llama whose norm before the feed-forward is called post-attention. */
import { ropeOf } from "./blocks.ts";
import type { Family } from "./model.ts";
import { transformer } from "./transformer.ts";

export const seedOss: Family = (m) => {
  const rope = ropeOf(m, "neox");
  return transformer(m, { rope: () => rope, norms: { ffn: "post_attention_norm" } });
};
