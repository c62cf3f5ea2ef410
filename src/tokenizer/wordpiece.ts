/** WordPiece as in BERT: text is normalized, split into words, and words into longest matches. */
import {
  baseCharacter,
  CONTROL,
  category,
  isBertChinese,
  lowerCase,
  MARK,
  PUNCTUATION,
  SPACE,
  SYMBOL,
} from "./unicode.ts";
import { decodePoints, REPLACEMENT, toUtf8, writePoint } from "./utf8.ts";
import type { Vocabulary } from "./vocab/index.ts";
import { ByteTrie } from "./vocab/pairs.ts";

/** U+2581, which begins a word in the vocabulary. */
const wordStart = 0x2581;

/** Encodes stretches of text without special tokens. */
export class WordPieceEncoder {
  readonly #vocabulary: Vocabulary;
  readonly #trie: ByteTrie = new ByteTrie();
  /** Bytes looked at so far. */
  steps = 0;

  constructor(vocabulary: Vocabulary) {
    this.#vocabulary = vocabulary;
    for (const [text, id] of vocabulary.ids) this.#trie.add(toUtf8(text), id);
  }

  encode(text: Uint8Array, output: number[]): void {
    const { lowerCase: lower, stripAccents } = this.#vocabulary;
    // The mark in front and a character take at most four bytes each.
    const word = new Uint8Array(text.length * 4 + 8);
    const begin = writePoint(wordStart, word, 0);
    let length = begin;
    const finish = (): void => {
      if (length > begin) this.#word(word.subarray(0, length), output);
      length = begin;
    };
    for (const given of decodePoints(text)) {
      const point = stripAccents ? baseCharacter(given) : given;
      const bits = category(point);
      if (bits & SPACE) {
        finish();
        continue;
      }
      if (point === 0 || point === REPLACEMENT || bits & CONTROL) continue;
      if (stripAccents && bits & MARK) continue;
      const alone = bits & PUNCTUATION || (point < 0x7f && bits & SYMBOL) || isBertChinese(point);
      if (alone) finish();
      length = writePoint(lower ? lowerCase(point) : point, word, length);
      if (alone) finish();
    }
    finish();
  }

  cuts(_: number, next: number): boolean {
    return next === 32 || next === 10;
  }

  /** Longest matches from the left; a word that they do not cover becomes one unknown token. */
  #word(word: Uint8Array, output: number[]): void {
    const { special } = this.#vocabulary;
    const before = output.length;
    for (let start = 0; start < word.length; ) {
      let token = -1;
      let tokenEnd = start;
      let node = 0;
      for (let at = start; at < word.length; at++) {
        this.steps++;
        node = this.#trie.step(node, word[at]);
        if (node < 0) break;
        if (this.#trie.value(node) >= 0) {
          token = this.#trie.value(node);
          tokenEnd = at + 1;
        }
      }
      if (token < 0) {
        output.length = before;
        break;
      }
      output.push(token);
      start = tokenEnd;
    }
    if (output.length === before && special.unk !== undefined) output.push(special.unk);
  }
}
