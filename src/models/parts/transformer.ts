/**
 * The decoder that most families are: attention and feed-forward, each added to the residual stream.
 * Families say how theirs differs; what they leave out is as in Llama.
 */
import type { Ref } from "../../graph/ops.ts";
import { type AttentionBlock, selfAttention } from "./attention.ts";
import { decoder, logits, type Passes } from "./decoder.ts";
import { denseOrExperts } from "./ffn.ts";
import type { ModelBuilder } from "./model.ts";
import { type Rope, ropeOf } from "./rope.ts";

export interface Transformer {
  /** Rotation of the heads: the file's own in a pairing, another, or one by layer. @default none */
  readonly rope?: Rope["style"] | Rope | ((layer: number) => Rope | undefined);
  /** Norm of the stream. @default RMS */
  readonly norm?: (x: Ref, stem: string) => Ref;
  /** Stems of the norms before and after attention and feed-forward, and of the last; null = none. */
  readonly norms?: {
    readonly attention?: string | null;
    readonly afterAttention?: string;
    readonly ffn?: string | null;
    readonly afterFfn?: string;
    readonly output?: string;
  };
  /** Anything else about a layer's attention. */
  readonly attention?: (layer: number) => Partial<AttentionBlock>;
  /** @default gated with SiLU, or a mixture of experts where the layer has a router */
  readonly ffn?: (x: Ref, layer: number) => Ref;
  /** Feed-forward works on the same rows as attention, not on its result. */
  readonly parallel?: boolean;
  /** Factors on the embeddings and on what each block adds. */
  readonly embeddingScale?: number;
  readonly residualScale?: number;
  /** Applied to the embeddings before the first layer. */
  readonly embedding?: (x: Ref) => Ref;
  /** Passes through the layers, each with caches of its own. @default one */
  readonly passes?: Passes;
  /** Logits of the normed stream. @default the output matrix */
  readonly logits?: (x: Ref) => Ref;
}

/** The whole model: embeddings, layers, last norm and logits. */
export function transformer(m: ModelBuilder, t: Transformer): Ref {
  const { residualScale = 1 } = t;
  const stems = { attention: "attn_norm", ffn: "ffn_norm", output: "output_norm", ...t.norms };
  const streamNorm = t.norm ?? ((x, stem) => rmsNormBias(m, x, stem));
  const norm = (x: Ref, stem: string | null | undefined): Ref => (stem ? streamNorm(x, stem) : x);
  const own = typeof t.rope === "string" ? ropeOf(m, t.rope) : t.rope;
  const rope = typeof own === "function" ? own : () => own;
  const ffn = t.ffn ?? ((x) => denseOrExperts(m, x, { normalize: true }));
  /** What the feed-forward beside attention works on: its own norm of the stream, or attention's. */
  const beside = (x: Ref, y: Ref): Ref => (m.has("ffn_norm") ? norm(x, "ffn_norm") : y);
  const first = m.scale(m.embed("token_embd"), t.embeddingScale ?? 1);
  return decoder(
    m,
    (x, layer) => {
      const y = norm(x, stems.attention);
      const block = { rope: rope(layer), ...t.attention?.(layer), layer };
      const attended = norm(selfAttention(m, y, block), stems.afterAttention);
      const after = m.add(x, m.scale(attended, residualScale));
      const input = t.parallel ? beside(x, y) : norm(after, stems.ffn);
      return m.add(after, m.scale(norm(ffn(input, layer), stems.afterFfn), residualScale));
    },
    (x) => {
      const y = norm(x, stems.output);
      return t.logits && !m.embeds ? t.logits(y) : logits(m, y);
    },
    t.embedding ? t.embedding(first) : first,
    t.passes,
  );
}

/** RMS norm, plus a bias where the file has one. */
export function rmsNormBias(m: ModelBuilder, x: Ref, stem: string): Ref {
  const y = m.rmsNorm(x, stem);
  return m.has(`${stem}.bias`) ? m.addWeight(y, `${stem}.bias`) : y;
}
