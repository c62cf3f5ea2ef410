/** A small vocabulary to try grammars with: all bytes, and tokens of several bytes and characters. */
import type { TokenTexts } from "../../src/grammar/vocabulary.ts";

const encoder = new TextEncoder();
const words = [
  ...'ab abc aab ba bb abab é ée 東 東京 🙂 a🙂 "a a" "} \\" \\n , ", ": true false null 12 -1 0.5'.split(
    " ",
  ),
  ...[
    " ",
    "  ",
    " a",
    " the",
    "\n",
    "\n\n",
    "\n  ",
    "abcdefghijklmnopqrstuvw",
    "the quick brown fox jumps",
  ],
];
const halves = [[0xc3], [0xe6, 0x9d], [0xb1, 0x61], [0xf0, 0x9f, 0x99]];

export const END: number = 256 + words.length + halves.length;
/** Has no text; can be wanted as a token only. */
export const CONTROL: number = END + 1;
/** Has the same text as the token of the byte 97. */
export const SAME: number = END + 2;

const bytes = [
  ...Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte)),
  ...words.map((word) => encoder.encode(word)),
  ...halves.map((half) => Uint8Array.from(half)),
  ...[new Uint8Array(), new Uint8Array(), Uint8Array.of(97)],
];

export const texts: TokenTexts = {
  size: bytes.length,
  endTokens: new Set([END]),
  bytes: (id) => bytes[id],
};

/** Random numbers from 0 to below 1, the same ones for a seed. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
