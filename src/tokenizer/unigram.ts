/**
 * Unigram language model (T5): the segmentation whose tokens have the highest sum of
 * log-probabilities, found from left to right, after a normalization by a table of the file.
 */
import { atOnce } from "../base/steps.ts";
import type { Metadata } from "../file/metadata.ts";
import { Charsmap } from "./charsmap.ts";
import { announcedLength, readPoint, toUtf8 } from "./utf8.ts";
import { attribute } from "./vocab/attributes.ts";
import type { Vocabulary } from "./vocab/index.ts";
import { ByteTrie, LONGEST } from "./vocab/pairs.ts";

const SPACE = 32;
/** What an unknown character costs beyond the worst token. */
const unknownPenalty = 10;
const replacement = toUtf8("\ufffd");
const escapedSpace = toUtf8("\u2581");
const plainSpace = Uint8Array.of(SPACE);

/** Bytes that grow at their end, and are taken away at their beginning. */
class Bytes {
  #bytes: Uint8Array = new Uint8Array(64);
  length = 0;
  push(bytes: Uint8Array): void {
    if (this.length + bytes.length > this.#bytes.length) {
      const larger = new Uint8Array(2 * (this.length + bytes.length));
      larger.set(this.view);
      this.#bytes = larger;
    }
    this.#bytes.set(bytes, this.length);
    this.length += bytes.length;
  }
  drop(count: number): void {
    this.#bytes.copyWithin(0, count, this.length);
    this.length -= count;
  }
  get view(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }
}

/** A text on its way to its normal form. */
interface Normalized {
  readonly text: Uint8Array;
  /** Where it goes on. */
  at: number;
  prefixed: boolean;
  inWord: boolean;
  /** What it became, without what is encoded already. */
  readonly output: Bytes;
}

/** The best way to each offset of a text. */
class Ways {
  /** The highest sum. */
  readonly best: Float64Array;
  /** The token that ends there, and where it starts. */
  readonly token: Int32Array;
  readonly from: Int32Array;
  /** Tokens of any way there at least; unknown characters count none, as they may become one. */
  readonly fewest: Float64Array;

  /** Goes on behind `cut` of other ways, which are known up to `reach`. */
  constructor(size: number, unknown: number, before?: Ways, cut = 0, reach = 0) {
    this.best = new Float64Array(size + 1).fill(-Number.MAX_VALUE);
    this.token = new Int32Array(size + 1).fill(unknown);
    this.from = new Int32Array(size + 1);
    this.fewest = new Float64Array(size + 1).fill(Number.POSITIVE_INFINITY);
    this.best[0] = this.fewest[0] = 0;
    if (!before) return;
    this.best.set(before.best.subarray(cut, reach + 1));
    this.token.set(before.token.subarray(cut, reach + 1));
    this.from.set(before.from.subarray(cut, reach + 1).map((from) => from - cut));
    this.fewest.set(before.fewest.subarray(cut, reach + 1));
  }

  /** A token from one offset to another. */
  add(start: number, end: number, token: number, score: number, tokens: number): void {
    this.fewest[end] = Math.min(this.fewest[end], this.fewest[start] + tokens);
    const sum = this.best[start] + score;
    if (sum > this.best[end]) {
      this.best[end] = sum;
      this.token[end] = token;
      this.from[end] = start;
    }
  }

  /** The tokens of the way to an offset. */
  tokensTo(end: number): number[] {
    const tokens: number[] = [];
    for (let at = end; at > 0; at = this.from[at]) tokens.push(this.token[at]);
    return tokens.reverse();
  }
}

/** Encodes stretches of text without special tokens. */
export class UnigramEncoder {
  readonly #vocabulary: Vocabulary;
  readonly #charsmap: Charsmap | undefined;
  readonly #tokens: ByteTrie = new ByteTrie();
  readonly #userDefined: ByteTrie = new ByteTrie();
  /** User-defined tokens count 0, the others their log-probability. */
  readonly #scores: Float64Array;
  readonly #unknown: number;
  readonly #unknownScore: number;
  /** Bytes looked at so far. */
  steps = 0;

  constructor(metadata: Metadata, vocabulary: Vocabulary) {
    this.#vocabulary = vocabulary;
    this.#charsmap = Charsmap.of(metadata);
    this.#unknown = vocabulary.special.unk ?? -1;
    const { tokens, attributes, scores } = vocabulary;
    this.#scores = new Float64Array(tokens.length);
    let lowest = Number.POSITIVE_INFINITY;
    for (let id = 0; id < tokens.length; id++) {
      const score = Math.fround(scores[id]);
      if (attributes[id] & attribute.normal) lowest = Math.min(lowest, score);
      const usable = attribute.normal | attribute.userDefined | attribute.unused;
      if ((attributes[id] & usable) === 0) continue;
      const bytes = toUtf8(tokens[id]);
      this.#tokens.add(bytes, id);
      if (attributes[id] & attribute.userDefined) this.#userDefined.add(bytes, id);
      else this.#scores[id] = score;
    }
    this.#unknownScore = Math.fround(lowest - unknownPenalty);
  }

  encode(text: Uint8Array, output: number[]): void {
    atOnce(this.encodeSteps(text, output, Number.POSITIVE_INFINITY, text.length + 1));
  }

  /**
   * The same, about `slice` bytes at a time: at a place that no token lies across, all ways agree on
   * what is before it. True as soon as there are surely more than `most` tokens in `output`.
   */
  *encodeSteps(
    text: Uint8Array,
    output: number[],
    most: number,
    slice: number,
  ): Generator<void, boolean> {
    const unknown = this.#unknown;
    const normalized = { text, at: 0, prefixed: false, inWord: false, output: new Bytes() };
    let ways: Ways | undefined;
    let [start, reach, cut, afterUnknown] = [0, 0, 0, false];
    for (let ended = false; !ended; ) {
      ended = this.#normalize(normalized, Math.max(slice, normalized.output.length));
      const input = normalized.output.view;
      ways = new Ways(input.length, unknown, ways, cut, reach);
      start -= cut;
      reach -= cut;
      cut = 0;
      const exceeds = ({ fewest }: Ways): boolean =>
        output.length - fewest[0] + Math.min(...fewest.subarray(start, reach + 1)) > most;
      // A token may need more bytes than are there.
      const end = ended ? input.length : input.length - LONGEST;
      for (let done = 1; start < end; done++) {
        if (start === reach) cut = start;
        const next = start + Math.min(announcedLength(input[start]), input.length - start);
        reach = Math.max(reach, this.#extend(ways, input, start, next));
        start = next;
        if (done % slice > 0) continue;
        if (exceeds(ways)) return true;
        yield;
      }
      if (ended) cut = input.length;
      for (const token of ways.tokensTo(cut)) {
        // Neighbouring unknown characters are one unknown token.
        if (token >= 0 && !(token === unknown && afterUnknown)) output.push(token);
        afterUnknown = token === unknown;
      }
      normalized.output.drop(cut);
      if (output.length > most) return true;
      yield;
    }
    return false;
  }

  /** Adds all tokens at an offset to the ways; `next` is that of the next character. Returns how far they reach. */
  #extend(ways: Ways, input: Uint8Array, start: number, next: number): number {
    let reach = next;
    let covered = false;
    let node = 0;
    for (let at = start; at < input.length; at++) {
      this.steps++;
      node = this.#tokens.step(node, input[at]);
      if (node < 0) break;
      const id = this.#tokens.value(node);
      if (id < 0) continue;
      if (at + 1 === next) covered = true;
      ways.add(start, at + 1, id, this.#scores[id], 1);
      reach = Math.max(reach, at + 1);
    }
    if (!covered) ways.add(start, next, this.#unknown, this.#unknownScore, 0);
    return reach;
  }

  /**
   * Replaces characters by the file's table and puts spaces in the vocabulary's form, until there are
   * `count` bytes more. True at the end of the text.
   */
  #normalize(state: Normalized, count: number): boolean {
    const { addSpacePrefix, removeExtraSpaces, escapeSpaces } = this.#vocabulary;
    const space = escapeSpaces ? escapedSpace : plainSpace;
    const { text, output } = state;
    for (const end = output.length + count; state.at < text.length && output.length < end; ) {
      const { bytes, consumed } = this.#replaced(text, state.at);
      for (let i = 0; i < bytes.length; i++) {
        if (bytes[i] !== SPACE) {
          if (!state.inWord) {
            state.inWord = true;
            if ((addSpacePrefix && !state.prefixed) || removeExtraSpaces) {
              output.push(space);
              state.prefixed = true;
            }
          }
          output.push(bytes.subarray(i, i + 1));
        } else {
          state.inWord = false;
          if (!removeExtraSpaces) output.push(space);
        }
      }
      state.at += consumed;
    }
    return state.at >= text.length;
  }

  /** What the text at an offset becomes. */
  #replaced(text: Uint8Array, at: number): { bytes: Uint8Array; consumed: number } {
    // The beginning of a user-defined token stays as it is, for as far as it goes.
    let end = at;
    let node = 0;
    while (end < text.length && (node = this.#userDefined.step(node, text[end])) >= 0) end++;
    if (end > at) return { bytes: text.subarray(at, end), consumed: end - at };
    const mapped = this.#charsmap?.longest(text, at);
    if (mapped) return mapped;
    const read = readPoint(text, at);
    if (read < 0) return { bytes: replacement, consumed: 1 };
    return { bytes: text.subarray(at, at + (read & 7)), consumed: read & 7 };
  }
}
