/** Families whose experts are all that sets them apart from Llama. */
import { type Experts, type Rope, ropeOf } from "./blocks.ts";
import type { Family } from "./model.ts";
import { denseOrExperts, transformer } from "./transformer.ts";

/** Llama with experts that are weighed as `options` or else as the file says. */
export function llamaMoe(style: Rope["style"], options: Experts = {}): Family {
  return (m) => {
    const rope = ropeOf(m, style);
    return transformer(m, { rope: () => rope, ffn: (x) => denseOrExperts(m, x, options) });
  };
}
