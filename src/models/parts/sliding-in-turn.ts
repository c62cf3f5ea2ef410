/**
 * Decoders with sliding and full layers in turn, of which only the full ones stretch their
 * rotation.
 */
import { denseOrExperts, type Experts } from "./ffn.ts";
import type { Family } from "./model.ts";
import { ropeOf } from "./rope.ts";
import { type Transformer, transformer } from "./transformer.ts";
import { slidingLayers } from "./window.ts";

/**
 * `base`: that of the sliding layers' rotation where the file does not say (default: that of the full
 * ones); `parts`: anything else that differs from Llama.
 */
export function slidingInTurn(experts: Experts, base?: number, parts: Transformer = {}): Family {
  return (m) => {
    const { h } = m;
    const rope = ropeOf(m, "neox");
    const window = h.integer("attention.sliding_window", 0);
    const sliding = slidingLayers(h, 4).map((flag) => flag && window > 0);
    const slidingRope = ropeOf(m, "neox", {
      base: h.number("rope.freq_base_swa", base ?? h.number("rope.freq_base", 10000)),
      freqScale: 1,
      extFactor: 0,
      attnFactor: 1,
    });
    return transformer(m, {
      rope: (layer) => (sliding[layer] ? slidingRope : rope),
      attention: (layer) => ({
        sinks: m.has("attn_sinks") ? "attn_sinks" : undefined,
        window: sliding[layer] ? window : 0,
        joined: (heads) => m.scale(heads, h.number("attention.value_scale", 1)),
      }),
      ffn: (x) => denseOrExperts(m, x, experts),
      ...parts,
    });
  };
}
