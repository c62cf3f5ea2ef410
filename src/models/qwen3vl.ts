/** Qwen3-VL, the text part: Qwen3 whose rotation has interleaved sections (time, height, width). */
import type { Family } from "./parts/model.ts";
import { ropeOf } from "./parts/rope.ts";
import { transformer } from "./parts/transformer.ts";

export const qwen3vl: Family = (m) => {
  const sections = m.h.numbers("rope.dimension_sections");
  return transformer(m, { rope: ropeOf(m, "neox", { sections, interleaved: true }) });
};
