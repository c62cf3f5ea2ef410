/**
 * What a step may be asked for: the requests, their checks and their results, once for all executors.
 * A step takes all of its requests or none: everything is checked before anything changes.
 */
import { WebggufError } from "../base/errors.ts";

/** Numbered by the caller, 0 ≤ id < maxSequences. */
export type SequenceId = number;

/** The largest `topK` that every executor can sample with. */
export const MAX_DEVICE_TOP_K = 128;

/** Tokens back to which every executor can penalize repetition. */
export const MAX_DEVICE_LAST_N = 1024;

/** Lowers the logits of the tokens among the last ones of the sequence, before anything else. */
export interface DevicePenalties {
  /** Tokens looked back upon, 1 to {@link MAX_DEVICE_LAST_N}. */
  readonly lastN: number;
  /** 1, 0 and 0 = off. */
  readonly repeat: number;
  readonly frequency: number;
  readonly presence: number;
}

/**
 * How the executor itself samples the next token: penalties first; then greedily when the temperature
 * is 0 or less, else by top-k, top-p, min-p and temperature in this order. The random number depends
 * on the seed and on the position that the token will have, not on the sequence's number: the same
 * text on any of them.
 */
export interface DeviceSampling {
  readonly temperature: number;
  /** 1 to {@link MAX_DEVICE_TOP_K} unless greedy. */
  readonly topK: number;
  /** 1 or more = off. */
  readonly topP: number;
  /** 0 or less = off. */
  readonly minP: number;
  /** From 0 to 2⁵³ − 1. */
  readonly seed: number;
  readonly penalties?: DevicePenalties;
}

/** Takes the largest logit. */
export const GREEDY: DeviceSampling = { temperature: 0, topK: 1, topP: 1, minP: 0, seed: 0 };

/**
 * Rows of a small step: up to here a row's result has the same bits whatever rows stand beside it, and a step costs
 * little more than one of a single row. Batches and speculation make steps of this size.
 */
export const SMALL_ROWS = 8;

/** Whether sampling takes the largest logit, and nothing else. */
export const isArgmax = ({ temperature, penalties }: DeviceSampling): boolean =>
  temperature <= 0 && penalties === undefined;

/** Rows that are computed elsewhere, as of an image, and take the place of tokens. */
export interface GivenRows {
  /** Vectors [count][`givenWidth`] in place of the embeddings of tokens, as the model scales them for tokens or for all rows. */
  readonly rows: Float32Array;
  /**
   * Time, height, width and one more component of each position, [count][4]. Only the row's own position, four times,
   * can be computed so far: others are refused with `model/unsupported`. @default the row's own position
   */
  readonly positions?: ArrayLike<number>;
}

/** What a step appends: token ids; "sampled" = one row, the token that the step before sampled; or given rows. */
export type StepInput = ArrayLike<number> | "sampled" | GivenRows;

/** Consecutive rows of one sequence. */
export interface StepRequest {
  readonly sequence: SequenceId;
  /** Appended at the sequence's length. */
  readonly input: StepInput;
  /** Rows whose output is computed. */
  readonly outputs: "none" | "last" | "all";
  /** Bring the output rows back to the host (logits or embeddings); not together with penalties. */
  readonly read?: boolean;
  /** Sample a token from each output row on the device; the last becomes the sequence's "sampled" token. */
  readonly sample?: DeviceSampling;
  /**
   * Computed the way of long prompts, however few rows these are, or that of small steps: the bits of a row depend on
   * it where an executor is not `uniform`. @default by the number of rows
   */
  readonly prompt?: boolean;
  /** Its rows are computed for it, also where others have computed the same. */
  readonly fresh?: boolean;
}

/** What a request may get back. */
export interface StepResult {
  /** [output rows][width of the graph's output] when `read`. */
  readonly rows?: Float32Array;
  /** One id an output row when `sample`. */
  readonly tokens?: Int32Array;
  /** Rows of the request that others had computed, less those before it that had to be computed again. */
  readonly cached?: number;
  /** Milliseconds until its first row was sent, where it waited for others. */
  readonly waited?: number;
}

/** What a request gets back: the rows that it reads, the tokens that it samples. */
export type ResultOf<R extends StepRequest> = StepResult &
  (R extends { readonly read: true } ? { readonly rows: Float32Array } : unknown) &
  (R extends { readonly sample: DeviceSampling } ? { readonly tokens: Int32Array } : unknown);

/** What stands for a computed row in `publish` and `begin`: its token, and whether a small step computed it. */
export const rowItem = (token: number, small: boolean): number => 2 * token + Number(small);
export const itemToken = (item: number): number => item >> 1;

/** What an executor can take. */
export interface RequestLimits {
  /** Rows of a sequence. */
  readonly contextLength: number;
  readonly maxSequences: number;
  /** Ids of tokens are below this. */
  readonly vocabulary: number;
  /** Numbers of a given row; 0 where the model takes tokens only. */
  readonly givenWidth: number;
  /** False: attention is bidirectional, so a text comes in one request and is computed in one chunk. */
  readonly causal: boolean;
  /** Rows computed at once. */
  readonly chunk: number;
  /** The same where every row has an output. */
  readonly outputChunk: number;
}

/** The vectors of an input, if it is of given rows. */
export const givenRows = (input: StepInput): GivenRows | undefined =>
  typeof input === "object" && "rows" in input ? input : undefined;

/** Rows that a request adds to its sequence, where given rows have that many numbers each. */
export function rowsOf({ input }: StepRequest, givenWidth: number): number {
  if (input === "sampled") return 1;
  return "rows" in input ? Math.ceil(input.rows.length / givenWidth) : input.length;
}

/** Rows that the requests add to a sequence, those before number `end`. */
export function rowsAdded(
  requests: readonly StepRequest[],
  sequence: SequenceId,
  givenWidth: number,
  end: number = requests.length,
): number {
  let rows = 0;
  for (let i = 0; i < end; i++)
    if (requests[i].sequence === sequence) rows += rowsOf(requests[i], givenWidth);
  return rows;
}

/**
 * Refuses a step that an executor with these limits cannot take, before anything changes: `input/invalid`
 * for a wrong request, `context/overflow` where rows do not fit. `lengthOf` gives the rows that a
 * sequence has so far. Runs once a token and makes no objects.
 */
export function checkRequests(
  requests: readonly StepRequest[],
  limits: RequestLimits,
  lengthOf: (sequence: SequenceId) => number,
): void {
  for (let at = 0; at < requests.length; at++) {
    const request = requests[at];
    const { sequence, input, sample, read } = request;
    checkSequence(sequence, limits.maxSequences);
    const start = lengthOf(sequence) + rowsAdded(requests, sequence, limits.givenWidth, at);
    if (input === "sampled") checkSampledBefore(requests, at);
    else if ("rows" in input) checkGiven(input, start, limits.givenWidth);
    else checkTokens(input, limits.vocabulary);
    const count = rowsOf(request, limits.givenWidth);
    if (count < 1) throw invalid("Cannot compute a step without rows: give at least one token");
    if (sample) checkSampling(sample, read);
    checkRoom(start, count, limits.contextLength);
    if (!limits.causal) checkWhole(start, count, wholeLimit(requests, limits));
  }
}

/** Steps in flight, by what has become of their sequences since they were called. */
export class StepOrder {
  /** How often each sequence was shortened. */
  readonly #epochs = new Map<SequenceId, number>();
  /** Sequences whose latest step samples their next token. */
  readonly #sampled = new Set<SequenceId>();

  /**
   * Takes note of a step that is called and returns what {@link check} needs. Throws `input/invalid`, and takes no
   * note, where a "sampled" token is asked for that the step before does not sample.
   */
  call(requests: readonly StepRequest[]): readonly number[] {
    for (const { sequence, input } of requests)
      if (input === "sampled" && !this.#sampled.has(sequence))
        throw invalid(
          `Cannot feed a sampled token to sequence ${sequence}: the step before samples none; give a token`,
        );
    for (const { sequence, outputs, sample } of requests)
      if (sample && outputs !== "none") this.#sampled.add(sequence);
      else this.#sampled.delete(sequence);
    return requests.map(({ sequence }) => this.#epoch(sequence));
  }

  /** A sequence has lost rows: steps in flight that append to it have no place any more. */
  shortened(sequence: SequenceId): void {
    this.#epochs.set(sequence, this.#epoch(sequence) + 1);
    this.#sampled.delete(sequence);
  }

  /** Whether request number `at` of a step still continues its sequence. */
  stands(requests: readonly StepRequest[], called: readonly number[], at: number): boolean {
    return this.#epoch(requests[at].sequence) === called[at];
  }

  /** Throws where a request of a step does not continue its sequence any more. */
  check(requests: readonly StepRequest[], called: readonly number[]): void {
    for (let at = 0; at < requests.length; at++)
      if (!this.stands(requests, called, at)) throw shortenedError(requests[at].sequence);
  }

  #epoch(sequence: SequenceId): number {
    return this.#epochs.get(sequence) ?? 0;
  }
}

/** For a step whose sequence lost rows while it waited for its turn. */
export const shortenedError = (sequence: SequenceId): WebggufError =>
  invalid(
    `Cannot go on with sequence ${sequence}: it was shortened after this step was called, by a rewind or because an earlier step failed`,
  );

/** Refuses a step whose rows find no pages, before anything changes. */
export function checkPages(
  requests: readonly StepRequest[],
  executor: {
    readonly givenWidth: number;
    readonly pages: { readonly free: number };
    pagesFor(sequence: SequenceId, count: number): number;
  },
): void {
  let needed = 0;
  for (let at = 0; at < requests.length; at++) {
    const { sequence } = requests[at];
    if (requests.findIndex((one) => one.sequence === sequence) < at) continue;
    needed += executor.pagesFor(sequence, rowsAdded(requests, sequence, executor.givenWidth));
  }
  const { free } = executor.pages;
  if (needed > free) throw poolFull(needed, free);
}

/** For rows that find no pages because other sequences hold them. */
export const poolFull = (needed: number, free: number): WebggufError =>
  new WebggufError(
    "context/overflow",
    `Cannot hold more tokens: ${needed} pages of the cache are needed and ${free} are free, as other sequences use the rest; shorten one of them or use a larger contextLength`,
    { expected: free, actual: needed },
  );

/** Refuses `count` rows behind `start` where the context does not hold them. */
export function checkRoom(start: number, count: number, contextLength: number): void {
  if (start + count <= contextLength) return;
  throw new WebggufError(
    "context/overflow",
    `Cannot add ${count} tokens to ${start}: the context holds ${contextLength}; use a larger contextLength or a shorter text`,
    { expected: contextLength, actual: start + count },
  );
}

/** Refuses a number that is no sequence's. */
export function checkSequence(sequence: SequenceId, maxSequences: number): void {
  if (Number.isInteger(sequence) && sequence >= 0 && sequence < maxSequences) return;
  throw invalid(
    `Cannot use sequence ${sequence}: there are ${maxSequences}; load with a larger maxSequences`,
    maxSequences,
    sequence,
  );
}

/** The rows of a step are computed together: none can read a token that another samples. */
function checkSampledBefore(requests: readonly StepRequest[], at: number): void {
  for (let i = 0; i < at; i++)
    if (requests[i].sequence === requests[at].sequence && requests[i].sample)
      throw invalid("Cannot feed a token that the same step samples: give it with the next step");
}

/** Refuses vectors that are no rows of this width, and positions other than the rows' own. */
export function checkGiven({ rows, positions }: GivenRows, start: number, width: number): void {
  if (width === 0)
    throw new WebggufError(
      "model/unsupported",
      "Cannot compute given rows: this model does not begin with the embeddings of its tokens; give tokens",
    );
  if (rows.length % width !== 0)
    throw invalid(
      `Cannot divide ${rows.length} numbers into given rows: each has ${width}`,
      width,
      rows.length,
    );
  if (!positions) return;
  if (positions.length !== (4 * rows.length) / width)
    throw invalid(
      `Cannot place ${rows.length / width} given rows at ${positions.length} components of positions: each row has four`,
      (4 * rows.length) / width,
      positions.length,
    );
  for (let i = 0; i < positions.length; i++) {
    const own = start + (i >> 2);
    if (positions[i] === own) continue;
    throw new WebggufError(
      "model/unsupported",
      `Cannot place a given row at component ${positions[i]}: rotary embeddings by components other than the row's own position, here ${own}, are not computed`,
      { expected: own, actual: positions[i] },
    );
  }
}

function checkTokens(tokens: ArrayLike<number>, vocabulary: number): void {
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i];
    if (Number.isInteger(token) && token >= 0 && token < vocabulary) continue;
    throw invalid(
      `Cannot compute token ${token}: ids of this vocabulary are 0 to ${vocabulary - 1}`,
      vocabulary,
      token,
    );
  }
}

function checkSampling({ temperature, topK, penalties }: DeviceSampling, read?: boolean): void {
  // Penalties change the logits where they stand.
  if (read && penalties)
    throw invalid(
      "Cannot both read the logits of a row and sample from it with penalties, which change them in place: do one of the two",
    );
  const lastN = penalties ? penalties.lastN : 1;
  if (!(lastN >= 1 && lastN <= MAX_DEVICE_LAST_N))
    throw invalid(
      `Cannot penalize the last ${lastN} tokens on the device: give 1 to ${MAX_DEVICE_LAST_N}, or sample from the logits`,
      MAX_DEVICE_LAST_N,
      lastN,
    );
  if (temperature <= 0 || (topK >= 1 && topK <= MAX_DEVICE_TOP_K)) return;
  throw invalid(
    `Cannot sample among ${topK} candidates on the device: give a topK from 1 to ${MAX_DEVICE_TOP_K}, or sample from the logits`,
    MAX_DEVICE_TOP_K,
    topK,
  );
}

/** Rows that a bidirectional text may have in a step with these requests. */
function wholeLimit(requests: readonly StepRequest[], limits: RequestLimits): number {
  for (let i = 0; i < requests.length; i++)
    if (requests[i].outputs === "all") return limits.outputChunk;
  return limits.chunk;
}

function checkWhole(start: number, count: number, limit: number): void {
  if (start > 0)
    throw invalid(
      "Cannot append to a sequence of a bidirectional model: rewind it to 0 and give all tokens at once",
    );
  if (count <= limit) return;
  throw new WebggufError(
    "context/overflow",
    `Cannot take ${count} tokens: attention is bidirectional, so a text must fit one chunk of ${limit}; use a larger chunk or a shorter text`,
    { expected: limit, actual: count },
  );
}

const invalid = (message: string, expected?: number, actual?: number): WebggufError =>
  new WebggufError(
    "input/invalid",
    message,
    expected === undefined ? undefined : { expected, actual },
  );
