/**
 * Byte pair encoding as in GPT-2: text is split into words, words into bytes, and neighbours are
 * merged in the order of a table. Gemma 4's kind merges characters and has tokens for lone bytes.
 */
import { WebggufError } from "../base/errors.ts";
import type { Metadata } from "../file/metadata.ts";
import { type MergeRules, Merger } from "./merge.ts";
import { isAsciiLetter } from "./pretokenize/classes.ts";
import { cutAll } from "./pretokenize/scan.ts";
import { category, lowerCase, SPACE } from "./unicode.ts";
import { decodePoints, writePoint } from "./utf8.ts";
import type { Vocabulary } from "./vocab/index.ts";
import { PairMap } from "./vocab/pairs.ts";

const mergesKey = "tokenizer.ggml.merges";
const mostMerges = 2 ** 23;
/** Words of more characters than this are merged without being looked up as a whole first. */
const longestWhole = 4096;

/** GPT-2's alphabet: a printable character for each byte. */
export const byteCharacters: readonly string[] = Array.from({ length: 256 }, (_, byte) => {
  const printable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte !== 0xad);
  if (printable) return String.fromCharCode(byte);
  // The others are numbered in order from U+0100: 0–20, 7F–A0, AD.
  const rank = byte <= 0x20 ? byte : byte === 0xad ? 67 : byte - 0x7f + 33;
  return String.fromCharCode(256 + rank);
});

/** The token `<0xAB>` of a byte. */
export function byteToken(byte: number): string {
  return `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`;
}

/** The merge table. Symbols are token ids, and numbers above for texts that are no tokens. */
class Merges implements MergeRules {
  readonly #tokens: ReadonlyMap<string, number>;
  /** Symbols that are no tokens. */
  readonly #others: Map<string, number> = new Map();
  readonly #pairs: PairMap;
  readonly #results: Int32Array;
  // The pair asked for last: text that repeats itself asks for it again and again.
  #left = -1;
  #right = -1;
  #rule = -1;

  constructor(metadata: Metadata, vocabulary: Vocabulary) {
    // Kimi K2's files have no merges.
    const optional = metadata.get("tokenizer.ggml.pre") === "kimi-k2";
    const merges = metadata.strings(mergesKey, optional ? [] : undefined);
    if (merges.length > mostMerges) throw bad(metadata, `it has more than ${mostMerges} entries`);
    this.#tokens = vocabulary.ids;
    this.#pairs = new PairMap(merges.length);
    this.#results = new Int32Array(merges.length);
    let next = vocabulary.tokens.length;
    const symbol = (text: string): number => {
      const found = this.symbol(text);
      if (found >= 0) return found;
      this.#others.set(text, next);
      return next++;
    };
    merges.forEach((merge, rule) => {
      const gap = merge.indexOf(" ", 1);
      if (gap < 0) throw bad(metadata, `entry ${rule} is not two texts with a space between`);
      const left = merge.slice(0, gap);
      const right = merge.slice(gap + 1);
      if (this.#pairs.add(symbol(left), symbol(right), rule))
        this.#results[rule] = symbol(left + right);
    });
  }

  /** The symbol of a text, or -1. */
  symbol(text: string): number {
    return this.#tokens.get(text) ?? this.#others.get(text) ?? -1;
  }
  find(left: number, right: number): number {
    if (left < 0 || right < 0) return -1;
    if (left === this.#left && right === this.#right) return this.#rule;
    this.#left = left;
    this.#right = right;
    this.#rule = this.#pairs.get(left, right);
    return this.#rule;
  }
  order(rule: number): number {
    return rule;
  }
  result(rule: number): number {
    return this.#results[rule];
  }
}

function bad(metadata: Metadata, problem: string): WebggufError {
  return new WebggufError(
    "model/invalid",
    `Cannot use metadata key "${mergesKey}" of ${metadata.file}: ${problem}`,
    { file: metadata.file, key: mergesKey },
  );
}

/** Encodes stretches of text without special tokens. */
export class BytePairEncoder {
  readonly #vocabulary: Vocabulary;
  readonly #merges: Merges;
  readonly #merger: Merger;
  /** Symbol of each byte in GPT-2's alphabet. */
  readonly #bytes: Int32Array;
  readonly #longestToken: number;
  readonly #scratch: Uint8Array = new Uint8Array(4);

  constructor(metadata: Metadata, vocabulary: Vocabulary) {
    this.#vocabulary = vocabulary;
    this.#merges = new Merges(metadata, vocabulary);
    this.#merger = new Merger(this.#merges);
    this.#bytes = Int32Array.from(byteCharacters, (text) => this.#merges.symbol(text));
    let longest = 0;
    for (const token of vocabulary.tokens) longest = Math.max(longest, token.length);
    this.#longestToken = Math.min(longest, longestWhole);
  }

  /** Heap operations so far. */
  get steps(): number {
    return this.#merger.steps;
  }

  encode(text: Uint8Array, output: number[]): void {
    const { pre } = this.#vocabulary;
    const points = pre.dropSpaces ? this.#lowered(decodePoints(text)) : decodePoints(text);
    if (pre.escapeSpaces)
      for (let i = 0; i < points.length; i++) if (points[i] === 32) points[i] = 0x2581;
    let start = 0;
    for (const end of pre.dropSpaces ? cutAtSpaces(points) : cutAll(points, pre.passes)) {
      const dropped = pre.dropSpaces && (category(points[start]) & SPACE) !== 0;
      if (!dropped) this.#word(points.subarray(start, end), output);
      start = end;
    }
  }

  cuts(last: number, next: number): boolean {
    return isAsciiLetter(last) && this.#vocabulary.pre.cuts.includes(next);
  }

  #lowered(points: Int32Array): Int32Array {
    return this.#vocabulary.lowerCase ? points.map(lowerCase) : points;
  }

  #word(points: Int32Array, output: number[]): void {
    const { pre, tokens } = this.#vocabulary;
    const whole =
      pre.wholeWords || (pre.wholeNewlines && points[0] === 10) ? this.#whole(points) : -1;
    if (whole >= 0) {
      output.push(whole);
      return;
    }
    const count = pre.byteLevel ? this.#spell(points) : this.#characters(points);
    const kept = this.#merger.merge(count);
    const { symbols, starts } = this.#merger;
    for (let i = 0; i < kept; i++) {
      if (symbols[i] >= 0 && symbols[i] < tokens.length) output.push(symbols[i]);
      else this.#fallBack(points, starts[i], i + 1 < kept ? starts[i + 1] : count, output);
    }
  }

  /** The token that is a whole word, or -1. */
  #whole(points: Int32Array): number {
    if (points.length > this.#longestToken) return -1;
    let text = "";
    for (const point of points) {
      if (!this.#vocabulary.pre.byteLevel) text += String.fromCodePoint(point);
      else if (point < 0x80) text += byteCharacters[point];
      else {
        const length = writePoint(point, this.#scratch, 0);
        for (let i = 0; i < length; i++) text += byteCharacters[this.#scratch[i]];
      }
    }
    return this.#vocabulary.ids.get(text) ?? -1;
  }

  /** Symbols of the bytes of a word. */
  #spell(points: Int32Array): number {
    let count = 0;
    const symbols = this.#merger.reserve(points.length * 4);
    for (const point of points) {
      if (point < 0x80) {
        symbols[count++] = this.#bytes[point];
        continue;
      }
      const length = writePoint(point, this.#scratch, 0);
      for (let i = 0; i < length; i++) symbols[count++] = this.#bytes[this.#scratch[i]];
    }
    return count;
  }

  /** Symbols of the characters of a word. */
  #characters(points: Int32Array): number {
    const symbols = this.#merger.reserve(points.length);
    for (let i = 0; i < points.length; i++)
      symbols[i] = this.#merges.symbol(String.fromCodePoint(points[i]));
    return points.length;
  }

  /**
   * Tokens for a stretch that is not a token itself, byte by byte. In GPT-2's alphabet this happens
   * only where a merge gives a text that is not in the vocabulary, since bytes are tokens; llama.cpp
   * then keeps the ASCII characters.
   */
  #fallBack(points: Int32Array, start: number, end: number, output: number[]): void {
    const { pre, ids } = this.#vocabulary;
    const spelt = pre.byteLevel ? spell(points) : points;
    for (const point of spelt.subarray(start, end)) {
      if (pre.byteLevel) {
        const id = point < 0x80 ? ids.get(byteCharacters[point]) : undefined;
        if (id !== undefined && byteCharacters[point].charCodeAt(0) < 0x80) output.push(id);
        continue;
      }
      const length = writePoint(point, this.#scratch, 0);
      for (let i = 0; i < length; i++) {
        const id = ids.get(byteToken(this.#scratch[i]));
        if (id !== undefined) output.push(id);
      }
    }
  }
}

/** The bytes of code points. */
function spell(points: Int32Array): Uint8Array {
  const bytes = new Uint8Array(points.length * 4);
  let length = 0;
  for (const point of points) length = writePoint(point, bytes, length);
  return bytes.subarray(0, length);
}

/** Ends of the runs of white space and of anything else. */
function cutAtSpaces(points: Int32Array): number[] {
  const ends: number[] = [];
  for (let i = 1; i <= points.length; i++)
    if (i === points.length || ((category(points[i]) ^ category(points[i - 1])) & SPACE) !== 0)
      ends.push(i);
  return ends;
}
