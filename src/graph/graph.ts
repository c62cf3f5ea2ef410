/** A model as data: its ops, and what a sequence keeps. */
import type { Op, Ref } from "./ops.ts";

/** What a sequence keeps between steps; the graph names slots, not layers. */
export type CacheSlot =
  | {
      readonly kind: "kv";
      readonly layer: number;
      /** Key/value heads. */
      readonly heads: number;
      /** Elements of one head's key. */
      readonly keyWidth: number;
      /** Elements of one head's value; `prefix` n = the first n elements of the key (latent attention). */
      readonly valueWidth: number;
      readonly valueIsKeyPrefix: boolean;
      /** Positions that can still be attended to; 0 = all. */
      readonly window: number;
    }
  | {
      readonly kind: "state";
      readonly layer: number;
      /** f32 elements a sequence, all zero at its start. */
      readonly size: number;
    };

/** A model as data: ops in an order that can be run, and what a sequence keeps. */
export interface Graph {
  readonly architecture: string;
  readonly ops: readonly Op[];
  /** Width of each op's value. */
  readonly widths: readonly number[];
  /** True for values that exist only for the rows whose output is wanted. */
  readonly selected: readonly boolean[];
  readonly slots: readonly CacheSlot[];
  /** The last value: logits [out rows, vocabulary], or embeddings [out rows, width]. */
  readonly output: Ref;
  readonly outputKind: "logits" | "embeddings";
  readonly layers: number;
  readonly vocabulary: number;
  /** Width of the residual stream. */
  readonly width: number;
  /** Context the model was trained for. */
  readonly trainedContext: number;
  /** False for bidirectional attention: a sequence must then come in one chunk. */
  readonly causal: boolean;
  /** Groups of weights that one kernel reads together and that are placed next to each other. */
  readonly groups: readonly (readonly string[])[];
  /**
   * Embedding models: how rows become one vector. `rank`: the scores of the first row as they are;
   * `rankLast`: those of the last row as shares of 1 (softmax).
   */
  readonly pooling?: "none" | "mean" | "cls" | "last" | "rank" | "rankLast";
  /**
   * The value that given rows take the place of: the embeddings of tokens, or what a family makes of them
   * for tokens alone. Undefined where the graph does not begin with the embeddings of tokens.
   */
  readonly given?: Ref;
}

/** Numbers of a given row; 0 where the graph takes none. */
export const givenWidth = ({ given, widths }: Pick<Graph, "given" | "widths">): number =>
  given === undefined ? 0 : widths[given];
