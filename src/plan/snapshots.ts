/**
 * Copies of recurrent state, so that a sequence can be shortened: which are kept, of which length, and what to
 * copy. Pure numbers; the executor encodes the copies.
 */
import type { StateLayout } from "../kernels/slot.ts";

/** A copy is made when a sequence's length passes a multiple of this. */
export const SNAPSHOT_ROWS = 32;
/** Copies kept for a sequence: one of the end of a prompt, and the latest two of what followed. */
export const SNAPSHOTS = 3;
const PROMPT = 0;

/** Name of the buffer that holds copy `index` of a slot, for all sequences. */
export const snapshotBuffer = (slot: StateLayout, index: number): string =>
  `${slot.buffer}:snapshot:${index}`;

/** Rows of one sequence that a step computes. */
export interface Advance {
  readonly sequence: number;
  readonly position: number;
  readonly count: number;
}

export class Snapshots {
  /** Rows computed, and the length that each copy is of (0: none). */
  readonly #sequences: { computed: number; readonly lengths: number[] }[];
  readonly #promptRows: number;

  /** Steps of more than `promptRows` rows of a sequence count as prompts: a copy is made after each. */
  constructor(maxSequences: number, promptRows: number) {
    this.#promptRows = promptRows;
    this.#sequences = Array.from({ length: maxSequences }, () => ({
      computed: 0,
      lengths: new Array<number>(SNAPSHOTS).fill(0),
    }));
  }

  /** Takes note of rows; returns the copy to make behind them, or undefined. */
  advance({ sequence, position, count }: Advance): number | undefined {
    const own = this.#sequences[sequence];
    const end = position + count;
    own.computed = end;
    const prompt = count > this.#promptRows;
    const passed = Math.floor(end / SNAPSHOT_ROWS) > Math.floor(position / SNAPSHOT_ROWS);
    if (!prompt && !passed) return undefined;
    let index = PROMPT;
    if (!prompt) index = own.lengths[1] <= own.lengths[2] ? 1 : 2;
    own.lengths[index] = end;
    return index;
  }

  /**
   * Shortens a sequence to `length` rows or, where its state is not at hand, to the longest copy that is not
   * longer; returns the rows left and the copy to bring back. State of no rows needs none.
   */
  rewind(sequence: number, length: number): { length: number; restore?: number } {
    const own = this.#sequences[sequence];
    if (length >= own.computed) return { length: own.computed };
    let restore: number | undefined;
    own.computed = 0;
    own.lengths.forEach((at, index) => {
      if (at > length) own.lengths[index] = 0;
      else if (at > own.computed) {
        own.computed = at;
        restore = index;
      }
    });
    return { length: own.computed, restore };
  }
}

/** The rows of a step by sequence. */
export function advances(
  rows: readonly { readonly sequence: number; readonly position: number }[],
): Advance[] {
  const found: { sequence: number; position: number; count: number }[] = [];
  for (const { sequence, position } of rows) {
    const last = found.at(-1);
    if (last?.sequence === sequence) last.count++;
    else found.push({ sequence, position, count: 1 });
  }
  return found;
}
