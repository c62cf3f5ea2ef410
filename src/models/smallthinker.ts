/** SmallThinker: experts with ReLU, chosen by the layer's input before attention. */
import { selfAttention } from "./parts/attention.ts";
import { decoder } from "./parts/decoder.ts";
import { experts } from "./parts/ffn.ts";
import type { Family } from "./parts/model.ts";
import { ropeOf } from "./parts/rope.ts";
import { slidingLayers, slidingRopeOf } from "./parts/window.ts";

/** Positions of the window; the file says only that there is one. */
const window = 4096;

export const smallThinker: Family = (m) => {
  const { h } = m;
  const slides = h.integer("attention.sliding_window", 0) > 0;
  const rope = (slides ? slidingRopeOf : ropeOf)(m, "neox");
  // A full layer, which knows no positions, comes before every three sliding ones.
  const sliding = slidingLayers(h, 4, true);
  return decoder(m, (x, layer) => {
    const router = m.linear(x, "ffn_gate_inp");
    const local = { layer, rope, window: slides ? window : 0 };
    const y = m.rmsNorm(x, "attn_norm");
    const after = m.add(x, selfAttention(m, y, slides && !sliding[layer] ? { layer } : local));
    const z = m.rmsNorm(after, "ffn_norm");
    return m.add(after, experts(m, z, { kind: "relu", normalize: true, router }));
  });
};
