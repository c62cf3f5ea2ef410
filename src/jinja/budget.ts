/**
 * What one rendering may use up. Templates come with model files and are not trusted: time, nesting
 * and the amount of text and list entries that they make are bounded, so that a hostile one ends in
 * an error instead of taking the process with it.
 */

/** Longest string that a template may build, in UTF-16 units. */
const MAX_STRING = 16 << 20;
/** Nested evaluations (expressions, blocks, macro calls); real templates stay below 60. */
const MAX_DEPTH = 400;
/** Units every rendering gets; a UTF-16 unit of text that is made or read costs one. */
const BASE_UNITS = 64 << 20;
/** More units for each unit of input: long conversations are copied a few times on their way. */
const UNITS_PER_INPUT = 64;
/** Milliseconds more for each unit of input: a long conversation takes longer than a short one. */
const MS_PER_INPUT = 1 / 1000;
/** What joining two texts costs besides the shorter one: engines share the longer one's memory. */
const JOINT = 32;
/** Units of a list or mapping entry, about its bytes. */
const ENTRY = 64;
/** Bound on haystack × needle, since engines' text search is quadratic at worst. */
const MAX_SEARCH = 2 ** 28;

/** Thrown when a rendering would go over its limits. */
export class LimitError extends Error {}

const tooLong = (units: number): LimitError =>
  new LimitError(`it builds a text of ${units} characters`);

/** Counts down the time and memory of one rendering. */
export class Budget {
  readonly #start = performance.now();
  #timeoutMs: number;
  #units: number;
  #depth = 0;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
    this.#units = BASE_UNITS;
  }

  /** Makes room and time for what is done with `units` of input. */
  grant(units: number): void {
    this.#units += UNITS_PER_INPUT * units;
    this.#timeoutMs += MS_PER_INPUT * units;
  }

  /** Begins a nested evaluation; {@link leave} ends it. */
  enter(): void {
    if (++this.#depth > MAX_DEPTH)
      throw new LimitError(`it nests deeper than ${MAX_DEPTH} evaluations`);
    this.tick();
  }

  leave(): void {
    this.#depth--;
  }

  /** To be called before `units` of text in one string are made, or an operation reads that many. */
  text(units: number): void {
    if (units > MAX_STRING) throw tooLong(units);
    this.#spend(units);
  }

  /** To be called before two texts are joined. */
  join(left: number, right: number): void {
    if (left + right > MAX_STRING) throw tooLong(left + right);
    this.#spend(Math.min(left, right) + JOINT);
  }

  /** To be called before `count` list or mapping entries are made. */
  entries(count: number): void {
    this.#spend(count * ENTRY);
  }

  /** To be called before `needle` is searched in `haystack`. */
  search(haystack: string, needle: string): void {
    if (haystack.length * needle.length > MAX_SEARCH)
      throw new LimitError(`it searches ${needle.length} characters in ${haystack.length}`);
    this.#spend(haystack.length);
  }

  #spend(units: number): void {
    this.#units -= units;
    // Written so that NaN and infinity end here too.
    if (!(this.#units >= 0)) throw new LimitError("it makes too much text");
    this.tick();
  }

  /** To be called in every loop that a template can make long. */
  tick(): void {
    if (performance.now() - this.#start > this.#timeoutMs)
      throw new LimitError(`it ran for more than ${Math.round(this.#timeoutMs)} ms`);
  }
}
