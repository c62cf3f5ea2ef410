/** Hunyuan and Maincoder: Llama with norms of queries and keys after their rotation. */
import { type Rope, ropeOf } from "./blocks.ts";
import type { Family } from "./model.ts";
import { transformer } from "./transformer.ts";

export function hunyuan(style: Rope["style"]): Family {
  return (m) => {
    const rope = ropeOf(m, style);
    return transformer(m, { rope: () => rope, attention: () => ({ normAfterRope: true }) });
  };
}
