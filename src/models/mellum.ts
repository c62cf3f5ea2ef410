/**
 * Mellum, MiMo V2 and PLaMo 3: sliding and full layers in turn, of which only the full ones stretch
 * their rotation.
 */
import { type Experts, ropeOf } from "./blocks.ts";
import type { Family } from "./model.ts";
import { denseOrExperts, type Transformer, transformer } from "./transformer.ts";
import { slidingLayers } from "./window.ts";

function slidingInTurn(experts: Experts, base?: number, parts: Transformer = {}): Family {
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

export const mellum: Family = slidingInTurn({ normalize: true });

/** MiMo V2 gives some layers attention sinks, scales the values, and routes by sigmoid. */
export const mimo2: Family = slidingInTurn({ gate: "sigmoid", normalize: true }, 10000);

/** PLaMo 3 norms what each block adds, too. */
export const plamo3: Family = slidingInTurn({}, 10000, {
  norms: { afterAttention: "post_attention_norm", afterFfn: "post_ffw_norm" },
});
