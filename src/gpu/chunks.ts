/** From step requests to chunks of rows that a plan can take, and from their results back to the requests. Pure. */
import { joinRows } from "../base/join.ts";
import {
  givenRows,
  isArgmax,
  type RequestLimits,
  rowsAdded,
  rowsOf,
  type SequenceId,
  type StepInput,
  type StepRequest,
  type StepResult,
} from "../graph/requests.ts";
import { type Row, SAMPLED } from "../plan/steps.ts";

/** How the tokens of a chunk are sampled: all greedily; some at random; some after penalties. */
export type SamplingKind = "greedy" | "random" | "penalized";

/** Rows that are computed together. */
export interface Chunk {
  readonly rows: readonly Row[];
  /** Rows that have an output. */
  readonly outputs: number;
  readonly sample: boolean;
  readonly sampling: SamplingKind;
  readonly read: boolean;
  /** Computed as a prompt, however few rows it has. */
  readonly prompt: boolean;
  /** Vectors of its given rows, one after the other, where there are any. */
  readonly given?: readonly Float32Array[];
}

export interface ChunkLimits extends RequestLimits {
  /** Outputs of a chunk, unless every row has one. */
  readonly outputs: number;
}

/** What a chunk does when one of the requests wants it. */
interface Wanted {
  /** Rows of all requests. */
  rows: number;
  sample: boolean;
  sampling: SamplingKind;
  read: boolean;
  /** Every row of some request has an output. */
  all: boolean;
}

function wantedBy(requests: readonly StepRequest[], givenWidth: number): Wanted {
  const wanted: Wanted = {
    rows: 0,
    sample: false,
    sampling: "greedy",
    read: false,
    all: false,
  };
  for (let i = 0; i < requests.length; i++) {
    const { sample, read, outputs } = requests[i];
    wanted.rows += rowsOf(requests[i], givenWidth);
    wanted.read ||= read === true;
    wanted.all ||= outputs === "all";
    if (!sample) continue;
    wanted.sample = true;
    if (sample.penalties) wanted.sampling = "penalized";
    else if (wanted.sampling === "greedy" && !isArgmax(sample)) wanted.sampling = "random";
  }
  return wanted;
}

/** Rows a chunk may have: fewer when every row has an output. */
const limitFor = ({ rows, all }: Wanted, limits: ChunkLimits): number =>
  all && rows > limits.outputs ? limits.outputChunk : limits.chunk;

/**
 * The rows of all requests in order. `lengthOf` tells how many rows a sequence has so far. This runs once a token
 * and makes few objects, because what it leaves to the garbage collector adds up.
 */
export function chunkRows(
  requests: readonly StepRequest[],
  limits: ChunkLimits,
  lengthOf: (sequence: SequenceId) => number,
): Chunk[] {
  const { givenWidth } = limits;
  const wanted = wantedBy(requests, givenWidth);
  const { sample, sampling, read, all } = wanted;
  const limit = limitFor(wanted, limits);
  const chunks: Chunk[] = [];
  let rows: Row[] = [];
  let outputs = 0;
  let given: Float32Array[] | undefined;
  let prompt = false;
  const end = (): void => {
    if (rows.length > 0) chunks.push({ rows, outputs, sample, sampling, read, prompt, given });
    rows = [];
    outputs = 0;
    given = undefined;
  };
  for (let at = 0; at < requests.length; at++) {
    const request = requests[at];
    const { sequence, input } = request;
    const vectors = givenRows(input)?.rows;
    const count = rowsOf(request, givenWidth);
    const start = lengthOf(sequence) + rowsAdded(requests, sequence, givenWidth, at);
    if (prompt !== (request.prompt ?? false)) end();
    prompt = request.prompt ?? false;
    // The rows of a sequence stand side by side in a chunk: each carries on its state from the one before.
    const last = rows[rows.length - 1];
    if (last?.sequence !== sequence && rows.some((row) => row.sequence === sequence)) end();
    for (let i = 0; i < count; i++) {
      // A bidirectional text is computed in one chunk.
      const whole = limits.causal || i > 0 || rows.length + count <= limit;
      if (rows.length === limit || (!all && outputs === limits.outputs) || !whole) end();
      const output = request.outputs === "all" || (request.outputs === "last" && i === count - 1);
      if (output) outputs++;
      if (vectors) (given ??= []).push(vectors.subarray(i * givenWidth, (i + 1) * givenWidth));
      rows.push({
        sequence,
        position: start + i,
        token: tokenOf(input, i),
        given: given && vectors ? given.length - 1 : undefined,
        end: limits.causal ? start + i + 1 : start + count,
        output,
        sampling: output ? request.sample : undefined,
      });
    }
  }
  end();
  return chunks;
}

/** A given row counts as token 0 wherever tokens are looked up besides the embeddings, as in llama.cpp. */
function tokenOf(input: StepInput, i: number): number {
  if (input === "sampled") return SAMPLED;
  return "rows" in input ? 0 : Number(input[i]);
}

/** The results of the chunks, dealt out to the requests; `width` elements an output. */
export function gather(
  requests: readonly StepRequest[],
  parts: readonly StepResult[],
  width: number,
  givenWidth: number,
): StepResult[] {
  // One token of one request, as nearly always.
  if (requests.length === 1 && parts.length === 1 && !requests[0].read)
    return [requests[0].sample ? { tokens: parts[0].tokens ?? new Int32Array(0) } : {}];
  const rows = joinRows(parts.flatMap((p) => (p.rows ? [p.rows] : [])));
  const tokens = parts.flatMap((p) => (p.tokens ? [...p.tokens] : []));
  let at = 0;
  return requests.map((request) => {
    const count = rowsOf(request, givenWidth);
    const first = at;
    at += request.outputs === "all" ? count : request.outputs === "last" ? 1 : 0;
    return {
      ...(request.read ? { rows: rows.subarray(first * width, at * width) } : {}),
      ...(request.sample ? { tokens: Int32Array.from(tokens.slice(first, at)) } : {}),
    };
  });
}
