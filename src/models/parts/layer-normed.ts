/** GPT-2's forward pass, which many models share: layer norms with biases, ungated feed-forward. */
import type { Activation } from "../../graph/ops.ts";
import { learnedPositions } from "./decoder.ts";
import { gatedFfn, plainFfn } from "./ffn.ts";
import type { Family } from "./model.ts";
import type { Rope } from "./rope.ts";
import { type Transformer, transformer } from "./transformer.ts";

export interface LayerNormed {
  /** Rotation of the heads; none when left out. */
  readonly rope?: Rope["style"];
  /** Activation of the feed-forward. @default "gelu" */
  readonly kind?: Activation;
  readonly gated?: boolean;
  /** ALiBi's largest bias; "named" = the file must say it. @default 0, unless the file says one */
  readonly alibi?: number | "named";
  /** The file must say whether blocks are parallel. */
  readonly parallelNamed?: boolean;
  /** Scores divided by the head width instead of its root. */
  readonly byWidth?: boolean;
}

/**
 * Layer norms; learned positions, a norm of the embeddings and head norms where the file has them.
 */
export function layerNormed(kind: LayerNormed = {}): Family {
  return (m) => {
    const { h } = m;
    const { alibi = 0, kind: activation = "gelu" } = kind;
    const norm: Transformer["norm"] = (x, stem) => m.layerNorm(x, stem);
    return transformer(m, {
      rope: kind.rope,
      norm,
      embedding: (x) => {
        const at = learnedPositions(m, x);
        return m.has("token_embd_norm") ? norm(at, "token_embd_norm") : at;
      },
      attention: () => ({
        alibi: h.number("attention.max_alibi_bias", alibi === "named" ? undefined : alibi),
        clamp: h.number("attention.clamp_kqv", 0),
        norm: (x, stem) => (m.has(stem) ? norm(x, stem) : x),
        scale: kind.byWidth ? 1 / h.keyWidth : undefined,
      }),
      parallel: h.boolean("use_parallel_residual", kind.parallelNamed ? undefined : false),
      ffn: (x) => (kind.gated ? gatedFfn(m, x, activation) : plainFfn(m, x, activation)),
    });
  };
}
