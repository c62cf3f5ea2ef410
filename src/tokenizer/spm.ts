/**
 * SentencePiece's BPE: characters are merged where the two together are a token, the best score
 * first; characters without a token become byte tokens.
 */
import { byteToken } from "./bpe.ts";
import { type MergeRules, Merger } from "./merge.ts";
import { announcedLength, readPoint } from "./utf8.ts";
import type { Vocabulary } from "./vocab/index.ts";

const cacheSize = 2 ** 16;

/**
 * Two symbols merge if their texts together are a token. Symbols are token ids, or the vocabulary's
 * size plus the code point of a character that is no token. Answers are kept in a small table,
 * since text has the same pairs again and again.
 */
class Scores implements MergeRules {
  readonly #vocabulary: Vocabulary;
  /** Place of a token's score among all scores, the best first. */
  readonly #order: Int32Array;
  readonly #left: Int32Array = new Int32Array(cacheSize).fill(-1);
  readonly #right: Int32Array = new Int32Array(cacheSize);
  readonly #rule: Int32Array = new Int32Array(cacheSize);

  constructor(vocabulary: Vocabulary) {
    this.#vocabulary = vocabulary;
    const scores = Float32Array.from(vocabulary.scores, (score) =>
      Number.isNaN(Number(score)) ? Number.NEGATIVE_INFINITY : Number(score),
    );
    const rising = scores.slice().sort();
    this.#order = new Int32Array(scores.length);
    for (let id = 0; id < scores.length; id++) {
      let low = 0;
      let high = rising.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (rising[middle] <= scores[id]) low = middle + 1;
        else high = middle;
      }
      this.#order[id] = rising.length - low;
    }
  }

  #text(symbol: number): string {
    const { tokens } = this.#vocabulary;
    return symbol < tokens.length ? tokens[symbol] : String.fromCodePoint(symbol - tokens.length);
  }

  find(left: number, right: number): number {
    if (left < 0 || right < 0) return -1;
    const slot = (Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b)) >>> 16;
    if (this.#left[slot] === left && this.#right[slot] === right) return this.#rule[slot];
    const rule = this.#vocabulary.ids.get(this.#text(left) + this.#text(right)) ?? -1;
    this.#left[slot] = left;
    this.#right[slot] = right;
    this.#rule[slot] = rule;
    return rule;
  }
  order(rule: number): number {
    return this.#order[rule];
  }
  result(rule: number): number {
    return rule;
  }
}

/** Encodes stretches of text without special tokens. */
export class SentencePieceEncoder {
  readonly #vocabulary: Vocabulary;
  readonly #merger: Merger;
  /** Token of each byte, or -1. */
  readonly #bytes: Int32Array;
  /** Characters that come before a space inside of some token. */
  readonly #joined: Set<number> = new Set([SPACE]);

  constructor(vocabulary: Vocabulary) {
    this.#vocabulary = vocabulary;
    for (const token of vocabulary.tokens)
      for (let at = token.indexOf("\u2581", 1); at > 0; at = token.indexOf("\u2581", at + 1))
        this.#joined.add(token.charCodeAt(at - 1));
    this.#merger = new Merger(new Scores(vocabulary));
    const { ids, special } = vocabulary;
    this.#bytes = Int32Array.from({ length: 256 }, (_, byte) => {
      const character = byte < 0x80 ? ids.get(String.fromCharCode(byte)) : undefined;
      return ids.get(byteToken(byte)) ?? character ?? special.unk ?? -1;
    });
  }

  /** Heap operations so far. */
  get steps(): number {
    return this.#merger.steps;
  }

  /** @param spaceBefore put a space before the text, as at its beginning and after special tokens */
  encode(text: Uint8Array, output: number[], spaceBefore: boolean): void {
    const { ids, tokens } = this.#vocabulary;
    const symbolOf = (point: number): number =>
      ids.get(String.fromCodePoint(point)) ?? tokens.length + point;
    const space = symbolOf(0x2581);
    const symbols = this.#merger.reserve(text.length + 1);
    /** Byte offset of each symbol; the space that was put in has no bytes. */
    const offsets = new Int32Array(text.length + 2);
    let count = 0;
    if (spaceBefore) symbols[count++] = space;
    for (let at = 0; at < text.length; ) {
      offsets[count] = at;
      const read = readPoint(text, at);
      const point = read >>> 3;
      symbols[count++] = read < 0 ? -1 : point === 32 ? space : symbolOf(point);
      at = Math.min(text.length, at + (read < 0 ? announcedLength(text[at]) : read & 7));
    }
    offsets[count] = text.length;

    const kept = this.#merger.merge(count);
    const merged = this.#merger.symbols;
    const { starts } = this.#merger;
    for (let i = 0; i < kept; i++) {
      if (merged[i] >= 0 && merged[i] < tokens.length) {
        output.push(merged[i]);
        continue;
      }
      if (merged[i] === space) this.#pushBytes(spaceBytes, output);
      else this.#pushBytes(text.subarray(offsets[starts[i]], offsets[starts[i] + 1]), output);
    }
  }

  cuts(last: number, next: number): boolean {
    return next === SPACE && last < 0x80 && !this.#joined.has(last);
  }

  #pushBytes(bytes: Uint8Array, output: number[]): void {
    for (const byte of bytes) if (this.#bytes[byte] >= 0) output.push(this.#bytes[byte]);
  }
}

const SPACE = 32;
/** U+2581 in UTF-8. */
const spaceBytes = Uint8Array.of(0xe2, 0x96, 0x81);
