/** Finds special tokens written in a text and splits the text around them. */
import { toUtf8 } from "../utf8.ts";
import { attribute } from "./attributes.ts";
import type { Vocabulary } from "./index.ts";
import { ByteTrie } from "./pairs.ts";

/** A special token, or the stretch of text from `start` up to `end` (bytes). */
export type Fragment = { token: number } | { start: number; end: number };

/** The places of a token that occurs more often than this are not stored but searched for again. */
const keptPlaces = 4096;

const isSpace = (byte: number): boolean => byte === 32 || (byte >= 9 && byte <= 13);

interface Candidate {
  id: number;
  bytes: Uint8Array;
}

/**
 * Splits texts at special tokens. Longer tokens are found before shorter ones anywhere in the text,
 * then earlier before later; that is llama.cpp's order, and differs from leftmost-longest where
 * tokens overlap. One walk over the text finds which tokens occur, so its cost does not depend on
 * how many there are.
 */
export class SpecialSplitter {
  /** Longest first. */
  readonly #candidates: Candidate[] = [];
  readonly #trie: ByteTrie = new ByteTrie();
  readonly #attributes: Uint8Array;
  /** 1 for bytes that a token begins with. */
  readonly #begins: Uint8Array = new Uint8Array(256);

  /** @param controls also find control and unknown tokens, not only user-defined ones */
  constructor(vocabulary: Vocabulary, controls: boolean) {
    const { tokens, attributes } = vocabulary;
    this.#attributes = attributes;
    const hidden = attribute.control | attribute.unknown;
    for (let id = 0; id < tokens.length; id++) {
      const bits = attributes[id];
      if ((bits & (hidden | attribute.userDefined)) === 0) continue;
      if (!controls && bits & hidden) continue;
      this.#candidates.push({ id, bytes: toUtf8(tokens[id]) });
    }
    this.#candidates.sort((a, b) => b.bytes.length - a.bytes.length || a.id - b.id);
    for (let i = this.#candidates.length - 1; i >= 0; i--) {
      const { bytes } = this.#candidates[i];
      this.#trie.add(bytes, i);
      this.#begins[bytes[0]] = 1;
    }
  }

  split(text: Uint8Array): Fragment[] {
    const places = this.#occurrences(text);
    if (places.size === 0) return text.length === 0 ? [] : [{ start: 0, end: text.length }];
    const taken = new Uint8Array(text.length);
    const found = new Map<number, Candidate>();
    for (const index of [...places.keys()].sort((a, b) => a - b)) {
      const candidate = this.#candidates[index];
      const kept = places.get(index)!;
      if (kept.length <= keptPlaces) {
        for (const at of kept) this.#take(text, at, candidate, taken, found);
      } else {
        const last = text.length - candidate.bytes.length;
        for (let at = 0; at <= last; at++) this.#take(text, at, candidate, taken, found);
      }
    }
    return cut(text.length, taken, found);
  }

  /** Index of each token that occurs, with its places in rising order (not all past the limit). */
  #occurrences(text: Uint8Array): Map<number, number[]> {
    const places = new Map<number, number[]>();
    if (this.#trie.empty) return places;
    for (let start = 0; start < text.length; start++) {
      if (this.#begins[text[start]] === 0) continue;
      let node = this.#trie.step(0, text[start]);
      for (let at = start + 1; node >= 0; at++) {
        const index = this.#trie.value(node);
        if (index >= 0) {
          const kept = places.get(index);
          if (!kept) places.set(index, [start]);
          else if (kept.length <= keptPlaces) kept.push(start);
        }
        if (at >= text.length) break;
        node = this.#trie.step(node, text[at]);
      }
    }
    return places;
  }

  /** Takes a place for a token, and the white space that goes with it, if nothing else has it. */
  #take(
    text: Uint8Array,
    at: number,
    candidate: Candidate,
    taken: Uint8Array,
    found: Map<number, Candidate>,
  ): void {
    const { bytes, id } = candidate;
    for (let i = 0; i < bytes.length; i++)
      if (taken[at + i] !== 0 || text[at + i] !== bytes[i]) return;
    taken.fill(1, at, at + bytes.length);
    found.set(at, candidate);
    if (this.#attributes[id] & attribute.stripLeft)
      for (let i = at - 1; i >= 0 && taken[i] === 0 && isSpace(text[i]); i--) taken[i] = 1;
    if (this.#attributes[id] & attribute.stripRight)
      for (let i = at + bytes.length; i < text.length && taken[i] === 0 && isSpace(text[i]); i++)
        taken[i] = 1;
  }
}

/** Tokens and untaken stretches in order. */
function cut(length: number, taken: Uint8Array, found: Map<number, Candidate>): Fragment[] {
  const fragments: Fragment[] = [];
  for (let at = 0; at < length; ) {
    const token = found.get(at);
    if (token) {
      fragments.push({ token: token.id });
      at += token.bytes.length;
      continue;
    }
    const start = at;
    while (at < length && taken[at] === 0) at++;
    if (at > start) fragments.push({ start, end: at });
    while (at < length && taken[at] !== 0 && !found.has(at)) at++;
  }
  return fragments;
}
