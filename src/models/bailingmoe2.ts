/** Ling 2.0: experts in groups, and a norm of each head. */
import { ropeOf } from "./blocks.ts";
import type { Family } from "./model.ts";
import { denseOrExperts, transformer } from "./transformer.ts";

export const bailingmoe2: Family = (m) => {
  const rope = ropeOf(m, "neox");
  const groups = m.h.within("expert_group_count", 1, 4096, 1);
  const groupsUsed = m.h.within("expert_group_used_count", 1, groups, groups);
  return transformer(m, {
    rope: () => rope,
    ffn: (x) => denseOrExperts(m, x, { groups, groupsUsed }),
  });
};
