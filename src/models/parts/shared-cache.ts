/** Attention of Gemma 3n and 4: two kinds of layers, of which the last ones share earlier caches. */
import type { Ref } from "../../graph/ops.ts";
import type { ModelBuilder } from "./model.ts";
import { type Rope, type RopeSettings, ropeOf } from "./rope.ts";
import { slidingLayers } from "./window.ts";

/** What differs between sliding and full layers. */
interface Kind {
  readonly rope: Rope;
  /** Elements of a head's query, key and value. */
  readonly width: number;
  readonly window: number;
}

export interface SharedCaches {
  /** Layers with caches of their own; each later one uses that of the last one of its kind. */
  readonly own: number;
  /** One layer in so many is a full one, where the file does not say. */
  readonly interval: number;
  readonly slidingWidth: number;
  /** Rotation of the full and of the sliding layers. */
  readonly full?: RopeSettings;
  readonly sliding?: RopeSettings;
}

/** Queries and keys with learned norms, values with a plain one, scores without a scale. */
export function sharedAttention(
  m: ModelBuilder,
  options: SharedCaches,
): (y: Ref, layer: number) => Ref {
  const { h } = m;
  const isSliding = slidingLayers(h, options.interval);
  const base = h.number("rope.freq_base_swa", 10000);
  const slidingRope = { base, freqScale: 1, factors: false, ...options.sliding };
  const full: Kind = { rope: ropeOf(m, "neox", options.full), width: h.keyWidth, window: 0 };
  const sliding: Kind = {
    rope: ropeOf(m, "neox", slidingRope),
    width: options.slidingWidth,
    window: h.integer("attention.sliding_window"),
  };
  const slots = new Map<Kind, number>();
  return (y, layer) => {
    const kind = isSliding[layer] ? sliding : full;
    const { rope, width, window } = kind;
    const rotate = (x: Ref): Ref => m.rope(x, width, rope.style, rope.table);
    const heads = h.headsOf[layer];
    const q = rotate(m.rmsNorm(m.linear(y, "attn_q"), "attn_q_norm", width));
    let k: Ref | undefined;
    let v: Ref | undefined;
    if (layer < options.own) {
      const keys = m.linear(y, "attn_k");
      v = m.rmsNorm(m.has("attn_v") ? m.linear(y, "attn_v") : keys, undefined, width);
      k = rotate(m.rmsNorm(keys, "attn_k_norm", width));
      slots.set(kind, m.kvSlot(h.kvHeadsOf[layer], width, width, window));
    }
    const slot = slots.get(kind) ?? m.fail("no earlier layer has a cache to share");
    return m.linear(m.attention(q, k, v, { heads, scale: 1, window, slot }), "attn_output");
  };
}
