/**
 * Granite: Llama with a factor on embeddings, attention, what each block adds, and logits; the
 * attention's is `attention.scale`.
 */
import { factors } from "./parts/factors.ts";
import type { Family } from "./parts/model.ts";
import { ropeOf } from "./parts/rope.ts";
import { transformer } from "./parts/transformer.ts";
import { slidingLayers } from "./parts/window.ts";

export const granite: Family = (m) => {
  const rope = m.h.boolean("rope.scaling.finetuned", true) ? ropeOf(m, "norm") : undefined;
  // llama.cpp has defaults for the other factors only.
  const own = factors(m, { embedding: 1, residual: 1, logits: undefined });
  return transformer(m, { ...own, rope });
};

/** With sliding layers and layers without rotation where the file says, and attention sinks. */
export const graniteSliding: Family = (m) => {
  const rope = ropeOf(m, "norm");
  const window = m.h.integer("attention.sliding_window");
  const sliding = slidingLayers(m.h, 4);
  const rotated = m.h.perLayer("attention.rope_pattern", 1);
  return transformer(m, {
    ...factors(m),
    rope: (layer) => (rotated[layer] ? rope : undefined),
    attention: (layer) => ({ sinks: "attn_sinks", window: sliding[layer] ? window : 0 }),
  });
};
