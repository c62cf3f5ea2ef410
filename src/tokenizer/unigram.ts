/**
 * Unigram language model (T5): the segmentation whose tokens have the highest sum of
 * log-probabilities, found from left to right, after a normalization by a table of the file.
 */
import type { Metadata } from "../file/metadata.ts";
import { Charsmap } from "./charsmap.ts";
import { announcedLength, readPoint, toUtf8 } from "./utf8.ts";
import { attribute } from "./vocab/attributes.ts";
import type { Vocabulary } from "./vocab/index.ts";
import { ByteTrie } from "./vocab/pairs.ts";

const SPACE = 32;
/** What an unknown character costs beyond the worst token. */
const unknownPenalty = 10;
const replacement = toUtf8("\ufffd");
const escapedSpace = toUtf8("\u2581");
const plainSpace = Uint8Array.of(SPACE);

/** Bytes that grow. */
class Bytes {
  #bytes: Uint8Array;
  #length = 0;
  constructor(size: number) {
    this.#bytes = new Uint8Array(size);
  }
  push(bytes: Uint8Array): void {
    if (this.#length + bytes.length > this.#bytes.length) {
      const larger = new Uint8Array(2 * (this.#length + bytes.length));
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }
  get view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
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
  readonly #unknownScore: number;
  /** Bytes looked at so far. */
  steps = 0;

  constructor(metadata: Metadata, vocabulary: Vocabulary) {
    this.#vocabulary = vocabulary;
    this.#charsmap = Charsmap.of(metadata);
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
    const input = this.#normalize(text);
    const size = input.length;
    if (size === 0) return;
    const unknown = this.#vocabulary.special.unk ?? -1;
    // For each offset: the best sum, the token that ends there and where it starts.
    const best = new Float64Array(size + 1).fill(-Number.MAX_VALUE);
    const token = new Int32Array(size + 1).fill(unknown);
    const from = new Int32Array(size + 1);
    best[0] = 0;
    for (let start = 0; start < size; ) {
      const character = Math.min(announcedLength(input[start]), size - start);
      let covered = false;
      let node = 0;
      for (let at = start; at < size; at++) {
        this.steps++;
        node = this.#tokens.step(node, input[at]);
        if (node < 0) break;
        const id = this.#tokens.value(node);
        if (id < 0) continue;
        if (at + 1 - start === character) covered = true;
        const sum = best[start] + this.#scores[id];
        if (sum > best[at + 1]) {
          best[at + 1] = sum;
          token[at + 1] = id;
          from[at + 1] = start;
        }
      }
      const end = start + character;
      if (!covered && best[start] + this.#unknownScore > best[end]) {
        best[end] = best[start] + this.#unknownScore;
        token[end] = unknown;
        from[end] = start;
      }
      start = end;
    }
    const reversed: number[] = [];
    let afterUnknown = false;
    for (let end = size; end > 0; end = from[end]) {
      const isUnknown = token[end] === unknown;
      // Neighbouring unknown characters are one unknown token.
      if (token[end] >= 0 && !(isUnknown && afterUnknown)) reversed.push(token[end]);
      afterUnknown = isUnknown;
    }
    for (let i = reversed.length - 1; i >= 0; i--) output.push(reversed[i]);
  }

  /** Replaces characters by the file's table and puts spaces in the vocabulary's form. */
  #normalize(text: Uint8Array): Uint8Array {
    const { addSpacePrefix, removeExtraSpaces, escapeSpaces } = this.#vocabulary;
    const space = escapeSpaces ? escapedSpace : plainSpace;
    const output = new Bytes(text.length * 2 + 8);
    let prefixed = false;
    let inWord = false;
    for (let at = 0; at < text.length; ) {
      const { bytes, consumed } = this.#replaced(text, at);
      for (let i = 0; i < bytes.length; i++) {
        if (bytes[i] !== SPACE) {
          if (!inWord) {
            inWord = true;
            if ((addSpacePrefix && !prefixed) || removeExtraSpaces) {
              output.push(space);
              prefixed = true;
            }
          }
          output.push(bytes.subarray(i, i + 1));
        } else {
          inWord = false;
          if (!removeExtraSpaces) output.push(space);
        }
      }
      at += consumed;
    }
    return output.view;
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
