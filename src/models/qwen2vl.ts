/**
 * Qwen2-VL and Qwen3-VL: the text part, whose rotation is split in sections (time, height, width).
 */
import { ropeOf } from "./blocks.ts";
import type { Family } from "./model.ts";
import { transformer } from "./transformer.ts";

export function multiSection(interleaved: boolean): Family {
  return (m) => {
    const sections = m.h.numbers("rope.dimension_sections");
    const rope = ropeOf(m, "neox", { sections, interleaved });
    return transformer(m, { rope: () => rope });
  };
}
