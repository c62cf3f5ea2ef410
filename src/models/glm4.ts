/**
 * GLM-4: norms before and after each block, half of each head rotated, gate and up in one matrix.
 */
import { denseOrExperts, expertGate } from "./parts/ffn.ts";
import type { Family, ModelBuilder } from "./parts/model.ts";
import { type Rope, ropeOf } from "./parts/rope.ts";
import { transformer } from "./parts/transformer.ts";

/** Files for images and text rotate by sections, in the other pairing. */
function glmRope(m: ModelBuilder, style: Rope["style"]): Rope {
  const sections = m.h.numbers("rope.dimension_sections", []);
  return sections.length > 0 ? ropeOf(m, "neox", { sections }) : ropeOf(m, style);
}

export const glm4: Family = (m) =>
  transformer(m, {
    rope: glmRope(m, "norm"),
    norms: { afterAttention: "post_attention_norm", afterFfn: "post_ffw_norm" },
  });

/**
 * GLM-4.5: experts chosen by sigmoid scores; the norm before the feed-forward is called
 * post-attention.
 */
export const glm4moe: Family = (m) => {
  const gate = expertGate(m, 2);
  return transformer(m, {
    rope: glmRope(m, "neox"),
    norms: { ffn: "post_attention_norm" },
    ffn: (x) => denseOrExperts(m, x, { gate }),
  });
};
