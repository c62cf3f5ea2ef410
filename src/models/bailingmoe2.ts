/** Ling 2.0: experts in groups, and a norm of each head. */
import { denseOrExperts } from "./parts/ffn.ts";
import type { Family } from "./parts/model.ts";
import { ropeOf } from "./parts/rope.ts";
import { transformer } from "./parts/transformer.ts";

export const bailingmoe2: Family = (m) => {
  const rope = ropeOf(m, "neox");
  const groups = m.h.within("expert_group_count", 1, 4096, 1);
  const groupsUsed = m.h.within("expert_group_used_count", 1, groups, groups);
  return transformer(m, {
    rope: () => rope,
    ffn: (x) => denseOrExperts(m, x, { groups, groupsUsed }),
  });
};
