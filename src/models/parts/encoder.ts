/** BERT's forward pass, which many encoders share: bidirectional attention, norms after each block. */
import type { Ref } from "../../graph/ops.ts";
import { selfAttention } from "./attention.ts";
import { decoder, learnedPositions } from "./decoder.ts";
import { experts, gatedFfn, plainFfn } from "./ffn.ts";
import type { Family } from "./model.ts";
import { embeddings } from "./pooling.ts";
import { type Rope, ropeOf } from "./rope.ts";

export interface Encoder {
  readonly rope?: Rope["style"];
  readonly alibi?: number;
  /** The gated feed-forward's activation; without it BERT's own. */
  readonly gate?: "silu" | "gelu";
}

export function encoder(kind: Encoder = {}): Family {
  return (m) => {
    const rope = kind.rope && ropeOf(m, kind.rope);
    let first = m.embed("token_embd");
    if (m.has("token_types")) first = m.add(first, m.embed("token_types", "first"));
    first = learnedPositions(m, first);
    const wholeNorm = (x: Ref, stem: string): Ref => (m.has(stem) ? m.layerNorm(x, stem) : x);
    const ffn = (x: Ref): Ref => {
      if (m.has("ffn_gate_inp"))
        return experts(m, x, { kind: "gelu", gate: "softmax", normalize: false });
      return kind.gate ? gatedFfn(m, x, kind.gate) : plainFfn(m, x, "gelu");
    };
    const output = decoder(
      m,
      (x, layer) => {
        const attended = selfAttention(m, x, {
          layer,
          rope,
          alibi: kind.alibi ?? 0,
          causal: false,
          norm: wholeNorm,
        });
        let y = m.layerNorm(m.add(x, attended), "attn_output_norm");
        if (m.has("attn_norm_2")) y = m.layerNorm(m.add(x, y), "attn_norm_2");
        return m.layerNorm(m.add(y, ffn(y)), "layer_output_norm");
      },
      (x) => x,
      m.layerNorm(first, "token_embd_norm"),
    );
    return embeddings(m, output, "cls");
  };
}
