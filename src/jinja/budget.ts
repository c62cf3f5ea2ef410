/**
 * What one rendering may use up. Templates come with model files and are not trusted: the steps,
 * the nesting and the amount of text and list entries are bounded, so that a hostile one ends in an
 * error instead of taking the process with it. Work is counted and not timed: what passes on one
 * machine passes on every other, however busy it is. A unit stands for about a nanosecond of a
 * machine of today.
 */

/** Longest string that a template may build, in UTF-16 units, and more for each unit of the input. */
const MAX_TEXT = 4 << 20;
const MAX_TEXT_PER_TEXT = 4;
/** Nested evaluations (expressions, blocks, macro calls); real templates stay below 60. */
const MAX_DEPTH = 400;
/** Units every rendering gets; a UTF-16 unit of text that is made or read costs one. */
const BASE_UNITS = 2 ** 27;
/** Units of one evaluation of an expression or statement. */
const STEP = 128;
/** Units of a list or mapping entry that is made, about its bytes. */
const ENTRY = 64;
/** What joining two texts costs besides the shorter one: engines share the longer one's memory. */
const JOINT = 32;
/** More units for each unit of input text: long conversations are copied a few times on their way. */
const UNITS_PER_TEXT = 64;
/** More steps for each entry of the input. */
const STEPS_PER_ENTRY = 64;
/**
 * More steps for each pair of messages: templates look for the call that a result belongs to, or for
 * the turn before, by a loop over all messages inside the loop over all messages.
 */
const STEPS_PER_PAIR = 6;
/** Messages whose pairs count. */
const MAX_PAIRED = 2500;

/** Units of one turn: about a millisecond. */
const TURN = 2 ** 20;

/** Thrown when a rendering would go over its limits. */
export class LimitError extends Error {}

/** Counts down the work and memory of one rendering. */
export class Budget {
  #units: number;
  #longest = MAX_TEXT;
  #depth = 0;
  /** Units left when the turn began. */
  #turn: number;
  /** Entries of the longest list that was given. */
  #paired = 0;

  constructor(units: number = BASE_UNITS) {
    this.#units = this.#turn = units;
  }

  /** Makes room for what is done with `units` of input text. */
  grantText(units: number): void {
    this.#grant(UNITS_PER_TEXT * units);
    this.#longest += MAX_TEXT_PER_TEXT * units;
  }

  /** Makes room for what is done with the entries of a list or mapping of the input. */
  grantEntries(count: number): void {
    const paired = Math.max(this.#paired, Math.min(count, MAX_PAIRED));
    this.#grant(STEPS_PER_ENTRY * STEP * count);
    this.#grant(STEPS_PER_PAIR * STEP * (paired ** 2 - this.#paired ** 2));
    this.#paired = paired;
  }

  #grant(units: number): void {
    this.#units += units;
    this.#turn += units;
  }

  /** Begins a nested evaluation; {@link leave} ends it. */
  enter(): void {
    if (++this.#depth > MAX_DEPTH)
      throw new LimitError(`it nests deeper than ${MAX_DEPTH} evaluations`);
    this.work(STEP);
  }

  /** To be called where a literal or a variable is read: names are looked up through all blocks around. */
  lookUp(): void {
    this.work(STEP / 4 + this.#depth);
  }

  leave(): void {
    this.#depth--;
  }

  /** To be called before `units` of text in one string are made, or an operation reads that many. */
  text(units: number): void {
    this.#check(units);
    this.work(units);
  }

  /** To be called before two texts are joined. */
  join(left: number, right: number): void {
    this.#check(left + right);
    this.work(Math.min(left, right) + JOINT);
  }

  /** To be called before work of `units` that makes no text: see above what a unit is. */
  work(units: number): void {
    this.#units -= units;
    // Written so that NaN and infinity end here too.
    if (!(this.#units >= 0)) throw new LimitError("it does too much work");
  }

  /** Whether others should have their turn: once in a while. */
  isTurn(): boolean {
    if (this.#turn - this.#units < TURN) return false;
    this.#turn = this.#units;
    return true;
  }

  /** To be called before `count` list or mapping entries are made or looked at. */
  entries(count: number): void {
    this.work(count * ENTRY);
  }

  /** To be called before `needle` is searched in `haystack`: quadratic at worst. */
  search(haystack: string, needle: string): void {
    this.work(haystack.length * (1 + needle.length / 4));
  }

  #check(length: number): void {
    if (length > this.#longest) throw new LimitError(`it builds a text of ${length} characters`);
  }
}
