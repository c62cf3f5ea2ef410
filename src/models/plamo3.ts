/** PLaMo 3: sliding and full layers in turn, and norms before and after each block. */
import type { Family } from "./parts/model.ts";
import { slidingInTurn } from "./parts/sliding-in-turn.ts";

export const plamo3: Family = slidingInTurn({}, 10000, 8, {
  norms: { afterAttention: "post_attention_norm", afterFfn: "post_ffw_norm" },
});
