/** How a step is told to the GPU: writes the words of step-layout.ts, which lib/step.wgsl reads. Pure. */
import type { DeviceSampling } from "../graph/requests.ts";
import {
  HEADER,
  HEADER_WORDS,
  RECORD,
  RECORD_WORDS,
  SAMPLING,
  SAMPLING_WORDS,
} from "./step-layout.ts";

export { SAMPLED } from "./step-layout.ts";

/** A row of a step. */
export interface Row {
  readonly sequence: number;
  readonly position: number;
  /** Token id, or SAMPLED. */
  readonly token: number;
  /** One past the last position the row attends to. */
  readonly end: number;
  readonly output: boolean;
  /** How a token is sampled from its output; greedy without. */
  readonly sampling?: DeviceSampling;
  /** Time, height, width and one more component of the position, for rotary embeddings. @default `position` four times */
  readonly components?: readonly [number, number, number, number];
  /** Index of the given row that takes the place of the token's embedding. @default none */
  readonly given?: number;
}

/** Bytes of a step slot for `rows` rows; a multiple of 256, so that slots can be bound at dynamic offsets. */
export const slotBytes = (rows: number): number =>
  Math.ceil((4 * (HEADER_WORDS + (RECORD_WORDS + 1 + SAMPLING_WORDS) * rows)) / 256) * 256;

/** Writes a step at word `base` (zeroed or reused); `results` is where its sampled tokens go. */
export function encodeStep(
  words: Uint32Array,
  base: number,
  rows: readonly Row[],
  results: number,
): void {
  const list = HEADER_WORDS + RECORD_WORDS * rows.length;
  let outputs = 0;
  for (let r = 0; r < rows.length; r++) {
    encodeRow(words, base + HEADER_WORDS + RECORD_WORDS * r, rows[r]);
    if (rows[r].output) words[base + list + outputs++] = r;
  }
  const sampling = list + outputs;
  for (let i = 0; i < outputs; i++) {
    const row = rows[words[base + list + i]];
    encodeSampling(words, base + sampling + SAMPLING_WORDS * i, row.sampling);
  }
  words[base + HEADER.rows] = rows.length;
  words[base + HEADER.outputs] = outputs;
  words[base + HEADER.outputList] = list;
  words[base + HEADER.results] = results;
  words[base + HEADER.sampling] = sampling;
  encodeRuns(words, base, rows);
}

function encodeRow(words: Uint32Array, at: number, row: Row): void {
  const { position, components } = row;
  words[at + RECORD.sequence] = row.sequence;
  words[at + RECORD.position] = position;
  words[at + RECORD.token] = row.token;
  words[at + RECORD.end] = row.end;
  words[at + RECORD.given] = row.given === undefined ? 0 : row.given + 1;
  words[at + RECORD.time] = components?.[0] ?? position;
  words[at + RECORD.height] = components?.[1] ?? position;
  words[at + RECORD.width] = components?.[2] ?? position;
  words[at + RECORD.extra] = components?.[3] ?? position;
}

/** Runs of consecutive rows of one sequence, for lib/runs.wgsl. */
function encodeRuns(words: Uint32Array, base: number, rows: readonly Row[]): void {
  const records = base + HEADER_WORDS;
  let runs = 0;
  for (let first = 0; first < rows.length; ) {
    let end = first + 1;
    while (end < rows.length && rows[end].sequence === rows[first].sequence) end++;
    for (let r = first; r < end; r++) {
      words[records + RECORD_WORDS * r + RECORD.runFirst] = first;
      words[records + RECORD_WORDS * r + RECORD.runEnd] = end;
    }
    words[records + RECORD_WORDS * runs++ + RECORD.ithRun] = first;
    first = end;
  }
  words[base + HEADER.runs] = runs;
}

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

function floatBits(value: number): number {
  float[0] = value;
  return bits[0];
}

/** The settings that samplePenalties.wgsl and sampleToken.wgsl read. Greedy sampling is top-k with K = 1. */
function encodeSampling(words: Uint32Array, at: number, sampling?: DeviceSampling): void {
  const random = sampling !== undefined && sampling.temperature > 0;
  const minP = random ? Math.fround(sampling.minP) : 0;
  words[at + SAMPLING.topK] = random ? sampling.topK : 1;
  words[at + SAMPLING.topP] = floatBits(random ? sampling.topP : 1);
  words[at + SAMPLING.logMinP] = floatBits(minP > 0 ? Math.log(minP) : -1e30);
  words[at + SAMPLING.temperature] = floatBits(random ? sampling.temperature : 1);
  words[at + SAMPLING.seedLow] = random ? sampling.seed >>> 0 : 0;
  words[at + SAMPLING.seedHigh] = random ? Math.floor(sampling.seed / 2 ** 32) >>> 0 : 0;
  const penalties = sampling?.penalties;
  words[at + SAMPLING.lastN] = penalties?.lastN ?? 0;
  words[at + SAMPLING.repeat] = floatBits(penalties?.repeat ?? 1);
  words[at + SAMPLING.frequency] = floatBits(penalties?.frequency ?? 0);
  words[at + SAMPLING.presence] = floatBits(penalties?.presence ?? 0);
}
