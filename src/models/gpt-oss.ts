/** GPT-OSS: attention sinks, sliding layers in turn, experts with biases and a clamped SwiGLU. */
import { experts } from "./parts/ffn.ts";
import type { Family } from "./parts/model.ts";
import { transformer } from "./parts/transformer.ts";
import { slidingTurns } from "./parts/window.ts";

export const gptOss: Family = (m) => {
  const turn = slidingTurns(m, "neox", { every: 2 });
  return transformer(m, {
    norms: { ffn: "post_attention_norm" },
    attention: (layer) => ({ ...turn(layer), sinks: "attn_sinks" }),
    ffn: (x) => experts(m, x, { kind: "swigluOai", gate: "softmaxChosen", normalize: false }),
  });
};
