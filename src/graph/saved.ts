/** What a sequence keeps of its rows, outside of its executor: one form for all executors and runtimes. */
import type { SequenceId } from "./requests.ts";
import type { CacheType } from "./settings.ts";

/**
 * How the rows of a cache slot are kept. Keys of all heads, then values: f32 and f16 as they are, little-endian; rows of
 * quantised types as the executor has them. State is f32.
 */
export type SlotForm =
  | {
      readonly kind: "kv";
      readonly keys: CacheType;
      readonly values: CacheType;
      /** Of one position. */
      readonly bytes: number;
      /** Rows further back are not needed; 0: all are. */
      readonly window: number;
    }
  | { readonly kind: "state"; readonly bytes: number };

/** The rows [first, length) of a key/value slot, or the state behind the last row. */
export interface SavedSlot {
  readonly first: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface SavedRows {
  readonly length: number;
  readonly slots: readonly SavedSlot[];
}

/** Takes the rows of sequences out of an executor and into it. */
export interface Saving {
  readonly forms: readonly SlotForm[];
  /** No step of the sequence may be in flight, and its rows must stay until this is done. */
  save(sequence: SequenceId): Promise<SavedRows>;
  /**
   * Gives an empty sequence rows that are those of `text` (see `rowItem`), for which there is room. False where rows
   * are missing that this executor needs: then it stays empty.
   */
  load(sequence: SequenceId, text: readonly number[], saved: SavedRows): boolean;
}

/** The first row that is needed behind `length` rows. */
export const firstNeeded = (length: number, window: number): number =>
  window === 0 ? 0 : Math.max(0, length - window + 1);
