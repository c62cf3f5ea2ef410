/** Copies of recurrent state, so that a sequence can be shortened and others can begin with it: where they stand, and when one is due. Pure. */
import type { StateLayout } from "../kernels/slot.ts";

/** A copy is made when a sequence's length passes a multiple of this. */
export const SNAPSHOT_ROWS = 32;
/** Copies kept for a sequence: one of the end of a prompt, and the latest two of what followed. */
export const SNAPSHOTS = 3;

/** Name of the buffer that holds copy `index` of a slot, for all sequences. */
export const snapshotBuffer = (slot: StateLayout, index: number): string =>
  `${slot.buffer}:snapshot:${index}`;

/** Rows of one sequence that a step computes. */
export interface Advance {
  readonly sequence: number;
  readonly position: number;
  readonly count: number;
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

/**
 * The copy to make behind rows, or undefined: one of the end of a prompt, which are steps of more than `promptRows`
 * rows, and one wherever a border is passed.
 */
export function copyDue(
  { position, count }: Advance,
  promptRows: number,
): "prompt" | "border" | undefined {
  if (count > promptRows) return "prompt";
  const border = (length: number): number => Math.floor(length / SNAPSHOT_ROWS);
  return border(position + count) > border(position) ? "border" : undefined;
}
