/** How a step is told to the GPU: the words that lib/step.wgsl reads. Pure. */
import type { DeviceSampling } from "../graph/executor.ts";

/** A row of a step. */
export interface Row {
  readonly sequence: number;
  readonly position: number;
  /** Token id, or SAMPLED. */
  readonly token: number;
  /** One past the last position the row attends to. */
  readonly end: number;
  readonly output: boolean;
  /** How its output row draws a token; greedy without. */
  readonly sampling?: DeviceSampling;
}

export const SAMPLED = 0xffffffff;
const HEADER = 16;
const RECORD = 8;
const SETTINGS = 12;

/** Bytes of a step slot for `rows` rows; a multiple of 256, so that slots can be bound at dynamic offsets. */
export const slotBytes = (rows: number): number =>
  Math.ceil((4 * (HEADER + (RECORD + 1 + SETTINGS) * rows)) / 256) * 256;

/** Writes a step at word `base` (zeroed or reused); `results` is where its sampled tokens go. */
export function encodeStep(
  words: Uint32Array,
  base: number,
  rows: readonly Row[],
  results: number,
): void {
  const list = HEADER + RECORD * rows.length;
  let outputs = 0;
  for (let r = 0; r < rows.length; r++) {
    const row = rows[r];
    const at = base + HEADER + RECORD * r;
    words[at] = row.sequence;
    words[at + 1] = row.position;
    words[at + 2] = row.token;
    words[at + 4] = row.end;
    if (row.output) words[base + list + outputs++] = r;
  }
  const settings = list + outputs;
  for (let i = 0; i < outputs; i++)
    encodeSampling(words, base + settings + SETTINGS * i, rows[words[base + list + i]].sampling);
  words[base] = rows.length;
  words[base + 1] = outputs;
  words[base + 2] = list;
  words[base + 3] = results;
  words[base + 4] = settings;
  encodeRuns(words, base, rows);
}

/** Runs of consecutive rows of one sequence, for lib/runs.wgsl: [5] of the header, and words 5 to 7 of the records. */
function encodeRuns(words: Uint32Array, base: number, rows: readonly Row[]): void {
  let runs = 0;
  for (let first = 0; first < rows.length; ) {
    let end = first + 1;
    while (end < rows.length && rows[end].sequence === rows[first].sequence) end++;
    for (let r = first; r < end; r++) {
      words[base + HEADER + RECORD * r + 5] = first;
      words[base + HEADER + RECORD * r + 6] = end;
    }
    words[base + HEADER + RECORD * runs++ + 7] = first;
    first = end;
  }
  words[base + 5] = runs;
}

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

function floatBits(value: number): number {
  float[0] = value;
  return bits[0];
}

/** The settings as samplePenalties.wgsl and sampleDraw.wgsl read them; the most likely of one candidate is the greedy choice. */
function encodeSampling(words: Uint32Array, at: number, sampling?: DeviceSampling): void {
  const chance = sampling !== undefined && sampling.temperature > 0;
  const minP = chance ? Math.fround(sampling.minP) : 0;
  words[at] = chance ? sampling.topK : 1;
  words[at + 1] = floatBits(chance ? sampling.topP : 1);
  words[at + 2] = floatBits(minP > 0 ? Math.log(minP) : -1e30);
  words[at + 3] = floatBits(chance ? sampling.temperature : 1);
  words[at + 4] = chance ? sampling.seed >>> 0 : 0;
  words[at + 5] = chance ? Math.floor(sampling.seed / 2 ** 32) >>> 0 : 0;
  const penalties = sampling?.penalties;
  words[at + 6] = penalties?.lastN ?? 0;
  words[at + 7] = floatBits(penalties?.repeat ?? 1);
  words[at + 8] = floatBits(penalties?.frequency ?? 0);
  words[at + 9] = floatBits(penalties?.presence ?? 0);
}
