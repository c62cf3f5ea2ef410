/** From step requests to the rows of chunks that a plan can take, and back from their results. Pure. */
import { WebggufError } from "../base/errors.ts";
import {
  type DeviceSampling,
  isDrawn,
  MAX_DEVICE_LAST_N,
  MAX_DEVICE_TOP_K,
  penalizedError,
  type StepRequest,
  type StepResult,
} from "../graph/executor.ts";
import { type Row, SAMPLED } from "../plan/steps.ts";

/** How a chunk's tokens are sampled: all greedily; some drawn; some drawn after penalties. */
export type Draws = "none" | "plain" | "penalized";

/** Rows that are computed together. */
export interface Chunk {
  readonly rows: readonly Row[];
  readonly outputs: number;
  readonly sample: boolean;
  readonly draws: Draws;
  readonly read: boolean;
}

export interface ChunkResult {
  readonly logits?: Float32Array;
  readonly tokens?: Int32Array;
}

export interface CutLimits {
  /** Rows of a chunk, and rows of one whose every row may have an output. */
  readonly chunk: number;
  readonly wide: number;
  /** Outputs of any other chunk. */
  readonly outputs: number;
  readonly vocabulary: number;
  /** False: a text attends both ways and must come in one chunk. */
  readonly causal: boolean;
}

/** Rows that a request adds. */
export const rowsOf = ({ tokens }: StepRequest): number =>
  tokens === "sampled" ? 1 : tokens.length;

/** Refuses what no chunk can hold, before anything changes. */
export function checkRequests(requests: readonly StepRequest[], limits: CutLimits): void {
  for (let at = 0; at < requests.length; at++) {
    const { tokens, sample, read } = requests[at];
    if (read && sample?.penalties) throw penalizedError();
    if (tokens.length === 0)
      throw new WebggufError("input/invalid", "Cannot run a step without tokens");
    if (sample) checkSampling(sample);
    if (tokens === "sampled") continue;
    if (!limits.causal) checkWhole(tokens.length, limitFor(wantedBy(requests), limits));
    for (let i = 0; i < tokens.length; i++) {
      const token = Number(tokens[i]);
      if (Number.isInteger(token) && token >= 0 && token < limits.vocabulary) continue;
      throw new WebggufError(
        "input/invalid",
        `No token ${token}: the vocabulary has ${limits.vocabulary}`,
        { expected: limits.vocabulary, actual: token },
      );
    }
  }
}

function checkWhole(rows: number, limit: number): void {
  if (rows <= limit) return;
  throw new WebggufError(
    "context/overflow",
    `Cannot take ${rows} tokens: this model attends both ways, so a text must fit one chunk of ${limit}; load with a larger chunk`,
    { expected: limit, actual: rows },
  );
}

function checkSampling({ temperature, topK, penalties }: DeviceSampling): void {
  const lastN = penalties ? penalties.lastN : 1;
  if (!(lastN >= 1 && lastN <= MAX_DEVICE_LAST_N))
    throw new WebggufError(
      "input/invalid",
      `Cannot penalize the last ${lastN} tokens on the GPU: give 1 to ${MAX_DEVICE_LAST_N}, or sample from the logits`,
      { expected: MAX_DEVICE_LAST_N, actual: lastN },
    );
  if (temperature <= 0 || (topK >= 1 && topK <= MAX_DEVICE_TOP_K)) return;
  throw new WebggufError(
    "input/invalid",
    `Cannot draw among ${topK} candidates on the GPU: give a topK from 1 to ${MAX_DEVICE_TOP_K}, or sample from the logits`,
    { expected: MAX_DEVICE_TOP_K, actual: topK },
  );
}

/** What a chunk does when one of the requests wants it. */
interface Wanted {
  /** Rows of all requests. */
  rows: number;
  sample: boolean;
  draws: Draws;
  read: boolean;
  /** Every row of some request has an output. */
  all: boolean;
}

function wantedBy(requests: readonly StepRequest[]): Wanted {
  const wanted: Wanted = { rows: 0, sample: false, draws: "none", read: false, all: false };
  for (let i = 0; i < requests.length; i++) {
    const { sample, read, outputs } = requests[i];
    wanted.rows += rowsOf(requests[i]);
    wanted.read ||= read === true;
    wanted.all ||= outputs === "all";
    if (!sample) continue;
    wanted.sample = true;
    if (sample.penalties) wanted.draws = "penalized";
    else if (wanted.draws === "none" && isDrawn(sample)) wanted.draws = "plain";
  }
  return wanted;
}

/** Rows a chunk may have: fewer when every row has an output. */
const limitFor = ({ rows, all }: Wanted, limits: CutLimits): number =>
  all && rows > limits.outputs ? limits.wide : limits.chunk;

/**
 * The rows of all requests in order. `lengthOf` tells how many rows a sequence has so far. This runs once a token
 * and makes few objects, because what it leaves to the garbage collector adds up.
 */
export function cutRows(
  requests: readonly StepRequest[],
  limits: CutLimits,
  lengthOf: (sequence: number) => number,
): Chunk[] {
  const wanted = wantedBy(requests);
  const { sample, draws, read, all } = wanted;
  const limit = limitFor(wanted, limits);
  const chunks: Chunk[] = [];
  let rows: Row[] = [];
  let outputs = 0;
  for (let at = 0; at < requests.length; at++) {
    const request = requests[at];
    const { sequence, tokens } = request;
    const count = rowsOf(request);
    let start = lengthOf(sequence);
    for (let i = 0; i < at; i++)
      if (requests[i].sequence === sequence) start += rowsOf(requests[i]);
    for (let i = 0; i < count; i++) {
      // A text that attends both ways is not cut.
      const whole = limits.causal || i > 0 || rows.length + count <= limit;
      if (rows.length === limit || (!all && outputs === limits.outputs) || !whole) {
        if (rows.length > 0) chunks.push({ rows, outputs, sample, draws, read });
        rows = [];
        outputs = 0;
      }
      const output = request.outputs === "all" || (request.outputs === "last" && i === count - 1);
      if (output) outputs++;
      rows.push({
        sequence,
        position: start + i,
        token: tokens === "sampled" ? SAMPLED : Number(tokens[i]),
        end: limits.causal ? start + i + 1 : start + count,
        output,
        sampling: output ? request.sample : undefined,
      });
    }
  }
  if (rows.length > 0) chunks.push({ rows, outputs, sample, draws, read });
  return chunks;
}

/** The results of the chunks, dealt out to the requests; `width` elements an output. */
export function gather(
  requests: readonly StepRequest[],
  parts: readonly ChunkResult[],
  width: number,
): StepResult[] {
  // One token of one request, as nearly always.
  if (requests.length === 1 && parts.length === 1 && !requests[0].read)
    return [requests[0].sample ? { tokens: parts[0].tokens ?? new Int32Array(0) } : {}];
  const logits = join(parts.flatMap((p) => (p.logits ? [p.logits] : [])));
  const tokens = parts.flatMap((p) => (p.tokens ? [...p.tokens] : []));
  let at = 0;
  return requests.map((request) => {
    const count = rowsOf(request);
    const first = at;
    at += request.outputs === "all" ? count : request.outputs === "last" ? 1 : 0;
    return {
      ...(request.read ? { logits: logits.subarray(first * width, at * width) } : {}),
      ...(request.sample ? { tokens: Int32Array.from(tokens.slice(first, at)) } : {}),
    };
  });
}

function join(parts: readonly Float32Array[]): Float32Array {
  if (parts.length === 1) return parts[0];
  const out = new Float32Array(parts.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
