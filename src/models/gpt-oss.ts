/** GPT-OSS: attention sinks, sliding layers in turn, experts with biases and a clamped SwiGLU. */
import { experts } from "./parts/ffn.ts";
import type { Family } from "./parts/model.ts";
import { ropeOf } from "./parts/rope.ts";
import { transformer } from "./parts/transformer.ts";
import { slidingLayers, slidingRopeOf } from "./parts/window.ts";

export const gptOss: Family = (m) => {
  const rope = ropeOf(m, "neox");
  const slidingRope = slidingRopeOf(m, "neox");
  const sliding = slidingLayers(m.h, 2);
  const window = m.h.integer("attention.sliding_window");
  return transformer(m, {
    rope: (layer) => (sliding[layer] ? slidingRope : rope),
    norms: { ffn: "post_attention_norm" },
    attention: (layer) => ({ sinks: "attn_sinks", window: sliding[layer] ? window : 0 }),
    ffn: (x) => experts(m, x, { kind: "swigluOai", gate: "softmaxChosen", normalize: false }),
  });
};
