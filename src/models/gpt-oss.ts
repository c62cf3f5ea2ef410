/** GPT-OSS: attention sinks, sliding layers in turn, experts with biases and a clamped SwiGLU. */
import { experts, ropeOf } from "./blocks.ts";
import type { Family } from "./model.ts";
import { transformer } from "./transformer.ts";
import { slidingLayers } from "./window.ts";

export const gptOss: Family = (m) => {
  const rope = ropeOf(m, "neox");
  const sliding = slidingLayers(m.h, 2);
  const window = m.h.integer("attention.sliding_window");
  return transformer(m, {
    rope: () => rope,
    norms: { ffn: "post_attention_norm" },
    attention: (layer) => ({ sinks: "attn_sinks", window: sliding[layer] ? window : 0 }),
    ffn: (x) => experts(m, x, { kind: "swigluOai", gate: "softmaxChosen", normalize: false }),
  });
};
