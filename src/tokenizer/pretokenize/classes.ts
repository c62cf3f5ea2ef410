/** Sets of code points that pre-tokenizers name one by one. */
import { category, LETTER, PUNCTUATION, SPACE, SYMBOL } from "../unicode.ts";

/** Whether a sorted list of first, last, first, last … holds a code point. */
function inRanges(ranges: Int32Array, point: number): boolean {
  let low = 0;
  let high = ranges.length >> 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (point > ranges[middle * 2 + 1]) low = middle + 1;
    else high = middle;
  }
  return low * 2 < ranges.length && point >= ranges[low * 2];
}

const between = (point: number, first: number, last: number): boolean =>
  point >= first && point <= last;

export const isDigit = (point: number): boolean => between(point, 0x30, 0x39);
export const isAsciiLetter = (point: number): boolean =>
  between(point, 0x41, 0x5a) || between(point, 0x61, 0x7a);
/** All 32 of ASCII: punctuation and symbols. */
export const isAsciiPunctuation = (point: number): boolean =>
  between(point, 0x21, 0x2f) ||
  between(point, 0x3a, 0x40) ||
  between(point, 0x5b, 0x60) ||
  between(point, 0x7b, 0x7e);

/** A predicate for the characters of a string. */
export function among(characters: string): (point: number) => boolean {
  const points = new Set([...characters].map((character) => character.codePointAt(0)!));
  return (point) => points.has(point);
}

/**
 * `[\p{P}\p{S}]`. The tilde is in neither for llama.cpp (its table of ASCII symbols leaves it out),
 * and its tokens are what counts.
 */
export const isPunctuationOrSymbol = (point: number): boolean =>
  point !== 0x7e && (category(point) & (PUNCTUATION | SYMBOL)) !== 0;

/** `[\p{L}\p{P}\p{S}]` without the tilde, as {@link isPunctuationOrSymbol}. */
export const isLetterPunctuationOrSymbol = (point: number): boolean =>
  isPunctuationOrSymbol(point) || (category(point) & LETTER) !== 0;

const bloomStops = among("(|.,!?…。，、।۔،)");
/** `[^(\s|.,!?…。，、।۔،)]` */
export const isBloomWord = (point: number): boolean =>
  !bloomStops(point) && (category(point) & SPACE) === 0;

/** `[一-龥ࠀ-一가-퟿]` */
export const isDeepseekCjk = (point: number): boolean =>
  between(point, 0x800, 0x9fa5) ? (category(point) & SPACE) === 0 : between(point, 0xac00, 0xd7ff);

/** `[一-龥぀-ゟ゠-ヿ]` */
export const isHanOrKana = (point: number): boolean =>
  between(point, 0x4e00, 0x9fa5) || between(point, 0x3040, 0x30ff);

/** `[!-/:-~！-／：-～‘-‟　-。]`, but for the ideographic space, which counts as white space. */
export const isDeepseekPunctuation = (point: number): boolean =>
  between(point, 0x21, 0x2f) ||
  between(point, 0x3a, 0x7e) ||
  between(point, 0xff01, 0xff0f) ||
  between(point, 0xff1a, 0xff5e) ||
  between(point, 0x2018, 0x201f) ||
  between(point, 0x3001, 0x3002);

/** Ranges written in hexadecimal: `41-5a 61-7a b5`, rising. */
function rangesOf(text: string): Int32Array {
  return Int32Array.from(
    text.split(" ").flatMap((range) => {
      const [first, last = first] = range.split("-");
      return [Number.parseInt(first, 16), Number.parseInt(last, 16)];
    }),
  );
}

/** DeepSeek's letters: those of scripts with case, as far as its own list goes. */
const deepseekLetters = rangesOf(
  "41-5a 61-7a b5 c0-d6 d8-f6 f8-1ba 1bc-1bf 1c4-293 295-2af 370-373 376-377 37b-37d 37f " +
    "386 388-38a 38c 38e-3a1 3a3-3f5 3f7-481 48a-52f 531-556 10a0-10c5 13a0-13f5 13f8-13fd " +
    "1c90-1cba 1cbd-1cbf 1d00-1d2b 1d6b-1d77 1d79-1d9a 1e00-1f15 1f18-1f1d 1f20-1f45 " +
    "1f48-1f4d 1f50-1f57 1f59 1f5b 1f5d 1f5f-1f7d 1f80-1fb4 1fb6-1fbc 1fbe 1fc2-1fc4 " +
    "1fc6-1fcc 1fd0-1fd3 1fd6-1fdb 1fe0-1fec 1ff2-1ff4 1ff6-1ffc 2102 2107 210a-2113 2115 " +
    "2119-211d 2124 2126 2128 212a-212d 212f-2134 2139 213c-213f 2145-2149 214e 2183-2184 " +
    "2c00-2c7b 2c7e-2ce4 2ceb-2cee 2cf2-2cf3 a640-a66d a680-a69b a722-a76f a771-a787 " +
    "a78b-a78e ab70-abbf fb00-fb06 fb13-fb17 ff21-ff3a ff41-ff5a 10400-1044f 104b0-104d3 " +
    "104d8-104fb 10c80-10cb2 10cc0-10cf2 118a0-118df 1e900-1e943",
);
export const isDeepseekLetter = (point: number): boolean => inRanges(deepseekLetters, point);

/** AFMoE's second pass: CJK, kana, Thai, Lao, Khmer, Myanmar, Hangul. */
const afmoeScripts = rangesOf(
  "e00-e7f e80-eff 1000-109f 1100-11ff 1780-17ff 2f00-2fdf 3040-309f 30a0-30ff 3400-4dbf " +
    "4e00-9fff a9e0-a9ff aa60-aa7f ac00-d7af f900-faff ff65-ff9f",
);
export const isAfmoeScript = (point: number): boolean => inRanges(afmoeScripts, point);

const youtuMarks = among("！…“”‘’—：；，");
/** `[！…“”‘’—：；，、-〿︰-﹏]` */
export const isYoutuPunctuation = (point: number): boolean =>
  youtuMarks(point) || between(point, 0x3001, 0x303f) || between(point, 0xfe30, 0xfe4f);
/** `[가-힣ㄱ-ㆎ]` */
export const isHangul = (point: number): boolean =>
  between(point, 0xac00, 0xd7a3) || between(point, 0x3131, 0x318e);
/** `[ㄅ-ㄯ]` */
export const isBopomofo = (point: number): boolean => between(point, 0x3105, 0x312f);
