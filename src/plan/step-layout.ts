/**
 * The words of a step: the one list from which the host writes them (steps.ts) and from which scripts/wgsl.ts makes
 * the constants of wgsl/lib/step-layout.wgsl that shaders read them by.
 *
 * A step is a header, then a record for each row, then the list of the rows whose output is wanted, then the
 * sampling settings of each of these. Pure.
 */

/** Offsets by name, in the order given. */
type Offsets<N extends string> = { readonly [name in N]: number };

function offsets<N extends string>(names: readonly N[]): Offsets<N> {
  return Object.fromEntries(names.map((name, word) => [name, word])) as Offsets<N>;
}

/** The token of a row that takes the one its sequence sampled last. */
export const SAMPLED = 0xffffffff;

const headerWords = [
  "rows",
  "outputs",
  /** First word of the list of output rows. */
  "outputList",
  /** Where the results of sampling go: the first of them. */
  "results",
  /** First word of the output rows' sampling settings. */
  "sampling",
  /** Runs of consecutive rows of one sequence. */
  "runs",
] as const;
/** The header, once a step. `rows` and `outputs` are neighbours: a domain's number finds its row count. */
export const HEADER: Offsets<(typeof headerWords)[number]> = offsets(headerWords);
export const HEADER_WORDS = 16;

const recordWords = [
  "sequence",
  "position",
  /** Token id, or {@link SAMPLED}. */
  "token",
  /** One past the last position that the row attends to. */
  "end",
  /** 1 + the row's index among the given rows (vectors in place of a token's embedding), or 0. */
  "given",
  /** First row, and one past the last, of the run that the row belongs to. */
  "runFirst",
  "runEnd",
  /** In record i: the first row of the i-th run. It has nothing to do with row i. */
  "ithRun",
  /** The four components of the position: time, height, width and one more; for text all are the position. */
  "time",
  "height",
  "width",
  "extra",
] as const;
/** A row's record. */
export const RECORD: Offsets<(typeof recordWords)[number]> = offsets(recordWords);
export const RECORD_WORDS = 16;

const samplingWords = [
  /** K, an integer; 1 = greedy. */
  "topK",
  /** 1 = off. */
  "topP",
  /** The logarithm of min-p; −1e30 = off. */
  "logMinP",
  /** More than 0. */
  "temperature",
  /** The seed's 64 bits as two integers. */
  "seedLow",
  "seedHigh",
  /** How many tokens back the penalties look, an integer; 0 = off. */
  "lastN",
  "repeat",
  "frequency",
  "presence",
] as const;
/** An output row's sampling settings: f32 as bits, unless told otherwise. */
export const SAMPLING: Offsets<(typeof samplingWords)[number]> = offsets(samplingWords);
export const SAMPLING_WORDS = 12;
