/**
 * Unicode facts that the tokenizers ask about, one code point at a time.
 *
 * The general category comes from the runtime's own tables and is remembered in a byte per code
 * point, so a scan over text costs one array read a character.
 */

/** General category L (letter). */
export const LETTER = 1;
/** General category N (number). */
export const NUMBER = 2;
/** General category P (punctuation). */
export const PUNCTUATION = 4;
/** General category S (symbol). */
export const SYMBOL = 8;
/** General category M (combining mark). */
export const MARK = 16;
/** The property White_Space; set besides the category's own bit. */
export const SPACE = 32;
/** Cc, Cf, Co, Cs: control, format, private use, surrogate. */
export const CONTROL = 64;
/** Everything else: separators, unassigned. No bit but this one (and perhaps {@link SPACE}). */
const OTHER = 128;

const CODE_POINTS = 0x110000;
/** 0 means not asked yet; every category has at least one bit. */
let table: Uint8Array | undefined;

const letter = /^\p{L}$/u;
const number = /^\p{N}$/u;
const punctuation = /^\p{P}$/u;
const symbol = /^\p{S}$/u;
const mark = /^\p{M}$/u;
const control = /^[\p{Cc}\p{Cf}\p{Co}\p{Cs}]$/u;
const space = /^\p{White_Space}$/u;

function classify(point: number): number {
  const text = String.fromCodePoint(point);
  const white = space.test(text) ? SPACE : 0;
  if (letter.test(text)) return LETTER | white;
  if (number.test(text)) return NUMBER | white;
  if (punctuation.test(text)) return PUNCTUATION | white;
  if (symbol.test(text)) return SYMBOL | white;
  if (mark.test(text)) return MARK | white;
  if (control.test(text)) return CONTROL | white;
  return OTHER | white;
}

/** The bits of a code point (0 to 0x10FFFF); never 0. */
export function category(point: number): number {
  table ??= new Uint8Array(CODE_POINTS);
  const known = table[point];
  if (known !== 0) return known;
  const found = classify(point);
  table[point] = found;
  return found;
}

/** Simple lower case: the first code point of the full mapping. */
export function lowerCase(point: number): number {
  if (point < 0x80) return point >= 0x41 && point <= 0x5a ? point + 32 : point;
  return String.fromCodePoint(point).toLowerCase().codePointAt(0) ?? point;
}

/**
 * The first code point of the canonical decomposition. What follows it (mostly combining marks) is
 * left out, which is what llama.cpp's accent stripping does.
 */
export function baseCharacter(point: number): number {
  if (point < 0x80 || (point >= 0xd800 && point <= 0xdfff)) return point;
  return String.fromCodePoint(point).normalize("NFD").codePointAt(0) ?? point;
}

/** A Chinese character as the Kimi pre-tokenizer counts them. */
export function isHan(point: number): boolean {
  return (
    (point >= 0x4e00 && point <= 0x9fff) ||
    (point >= 0x3400 && point <= 0x4dbf) ||
    (point >= 0x20000 && point <= 0x2a6df) ||
    (point >= 0x2a700 && point <= 0x2ebef) ||
    (point >= 0xf900 && point <= 0xfaff) ||
    (point >= 0x2f800 && point <= 0x2fa1f)
  );
}

/** A Chinese character as BERT's normalizer counts them (U+2B820…U+2B91F are not, as in its reference). */
export function isBertChinese(point: number): boolean {
  return (
    (point >= 0x4e00 && point <= 0x9fff) ||
    (point >= 0x3400 && point <= 0x4dbf) ||
    (point >= 0x20000 && point <= 0x2a6df) ||
    (point >= 0x2a700 && point <= 0x2b81f) ||
    (point >= 0x2b920 && point <= 0x2ceaf) ||
    (point >= 0xf900 && point <= 0xfaff) ||
    (point >= 0x2f800 && point <= 0x2fa1f)
  );
}
