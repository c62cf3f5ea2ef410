/** How a step is told to the GPU: the words that lib/step.wgsl reads. Pure. */

/** A row of a step. */
export interface Row {
  readonly sequence: number;
  readonly position: number;
  /** Token id, or SAMPLED. */
  readonly token: number;
  /** One past the last position the row attends to. */
  readonly end: number;
  readonly output: boolean;
}

export const SAMPLED = 0xffffffff;
const HEADER = 16;
const RECORD = 8;

/** Bytes of a step slot for `rows` rows; a multiple of 256, so that slots can be bound at dynamic offsets. */
export const slotBytes = (rows: number): number =>
  Math.ceil((4 * (HEADER + (RECORD + 1) * rows)) / 256) * 256;

/** Writes a step into `words` (zeroed or reused); `results` is where its sampled tokens go. */
export function encodeStep(words: Uint32Array, rows: readonly Row[], results: number): void {
  const list = HEADER + RECORD * rows.length;
  let outputs = 0;
  for (let r = 0; r < rows.length; r++) {
    const row = rows[r];
    const at = HEADER + RECORD * r;
    words[at] = row.sequence;
    words[at + 1] = row.position;
    words[at + 2] = row.token;
    words[at + 4] = row.end;
    if (row.output) words[list + outputs++] = r;
  }
  words[0] = rows.length;
  words[1] = outputs;
  words[2] = list;
  words[3] = results;
}
