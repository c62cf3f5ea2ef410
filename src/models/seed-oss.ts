/** Seed-OSS: Llama whose norm before the feed-forward is called post-attention. */
import type { Family } from "./parts/model.ts";
import { ropeOf } from "./parts/rope.ts";
import { transformer } from "./parts/transformer.ts";

export const seedOss: Family = (m) => {
  const rope = ropeOf(m, "neox");
  return transformer(m, { rope: () => rope, norms: { ffn: "post_attention_norm" } });
};
