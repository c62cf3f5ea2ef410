/**
 * Pre-tokenizers: how byte-level BPE splits text into words before merging, by the name in
 * `tokenizer.ggml.pre`. The patterns are those that llama.cpp applies, in its order.
 */

import { category, isHan, LETTER, MARK, NUMBER, PUNCTUATION } from "../unicode.ts";
import * as classes from "./classes.ts";
import {
  anyContraction,
  anyOf,
  BLANK,
  blankRun,
  blankRunOf,
  blankRunWithout,
  CR,
  casedWord,
  contraction,
  joinedWords,
  LF,
  ledRun,
  lineBreaks,
  lineBreaksAndSlash,
  NONE,
  newlines,
  numbers,
  numbersFromRight,
  oneOf,
  runOf,
  type Scanner,
  spacedRunOf,
  spaces,
  trailingSpaces,
  withOptional,
} from "./scan.ts";

/** How text is split, and the tokenizer settings that come with it. */
export interface PreTokenizer {
  /** Scanners; each splits the pieces that the one before made. */
  readonly passes: readonly Scanner[];
  /** Words are spelt in GPT-2's byte alphabet; otherwise in characters, with `<0xAB>` tokens. */
  readonly byteLevel: boolean;
  /** Bytes before which a text can be cut where they follow an ASCII letter: no word has both. */
  readonly cuts: readonly number[];
  /** A word that is a token needs no merging. */
  readonly wholeWords: boolean;
  /** A run of line breaks that is a token needs no merging. */
  readonly wholeNewlines: boolean;
  /** BOS is added unless the file says otherwise. */
  readonly addBos: boolean;
  /** BOS is added whatever the file says. */
  readonly alwaysBos: boolean;
  /** No BOS unless the file names one. */
  readonly noDefaultBos: boolean;
  /** Spaces are written U+2581 in the tokens. */
  readonly escapeSpaces: boolean;
  /** White space only separates; it is dropped. */
  readonly dropSpaces: boolean;
  /** Decoded text loses spaces before punctuation. */
  readonly cleanSpaces: boolean;
}

const punctuation = (tail: readonly number[]): Scanner => blankRunWithout(LETTER | NUMBER, tail);
const word = ledRun(LETTER);
const markedWord = ledRun(LETTER | MARK);
const lineBreak = (point: number): boolean => point === CR || point === LF;
/** `[^\n]+|[\n]+` */
const lines = anyOf(
  runOf((point) => point !== LF),
  runOf((point) => point === LF),
);

const gpt2 = anyOf(contraction, blankRun(LETTER), blankRun(NUMBER), punctuation([]), spaces);
const llama3 = anyOf(anyContraction, word, numbers(3), punctuation(lineBreaks), newlines, spaces);
const qwen2 = anyOf(anyContraction, word, numbers(1), punctuation(lineBreaks), newlines, spaces);
const qwen35 = anyOf(
  anyContraction,
  markedWord,
  numbers(1),
  blankRunWithout(LETTER | MARK | NUMBER, lineBreaks),
  newlines,
  spaces,
);
const seedCoder = anyOf(
  anyContraction,
  word,
  numbers(1),
  // ` ?[^\s\p{L}\p{N}\r\n]+`: line breaks are white space, so none can follow here.
  punctuation([]),
  newlines,
  spaces,
);
const tekken = anyOf(
  casedWord(LETTER, false),
  numbers(1),
  punctuation(lineBreaksAndSlash),
  newlines,
  spaces,
);
const gpt4o = (bits: number): Scanner =>
  anyOf(casedWord(bits, true), numbers(3), punctuation(lineBreaksAndSlash), newlines, spaces);
/** As GPT-4o's, but its cased classes all mean any letter. */
const uncased = (digits: number): Scanner =>
  anyOf(
    withOptional(markedWord, anyContraction),
    numbers(digits),
    punctuation(lineBreaksAndSlash),
    newlines,
    spaces,
  );

/** `[!"#…~][A-Za-z]+` */
const punctuatedWord: Scanner = (scan, at) => {
  if (!classes.isAsciiPunctuation(scan.point(at))) return NONE;
  let end = at + 1;
  while (end < scan.end && classes.isAsciiLetter(scan.points[end])) end++;
  return end > at + 1 ? end : NONE;
};
const deepseek3Word = ledRun(LETTER | MARK, classes.isLetterPunctuationOrSymbol);
const deepseek3 = anyOf(
  punctuatedWord,
  deepseek3Word,
  blankRunOf(classes.isPunctuationOrSymbol, lineBreaks),
  newlines,
  spaces,
);
const spark = anyOf(
  punctuatedWord,
  deepseek3Word,
  blankRunOf(classes.isPunctuationOrSymbol),
  oneOf(lineBreak),
  spaces,
);

const kimiWord: Scanner = (scan, at) => {
  const isWord = (place: number): boolean =>
    (scan.bits(place) & LETTER) !== 0 && !isHan(scan.points[place]);
  const lead = scan.bits(at) & (LETTER | NUMBER) || lineBreak(scan.point(at)) ? at : at + 1;
  let end = lead;
  while (isWord(end)) end++;
  return end > lead ? end : NONE;
};
const kimi = anyOf(
  runOf(isHan),
  withOptional(kimiWord, anyContraction),
  numbers(3),
  punctuation(lineBreaks),
  newlines,
  spaces,
);

/** `\s{512}(?!\S)|\s{256}(?!\S)|…|\s{4}(?!\S)|\s{1,2}(?!\S)|\s` */
const halvedSpaces: Scanner = (scan, at) => {
  const end = scan.spaceEnd(at);
  const length = end - at;
  if (length === 0) return NONE;
  for (const size of [512, 256, 128, 64, 32, 16, 8, 4, 2])
    if (length > size || (length === size && end === scan.end)) return at + size;
  return at + 1;
};

/** A scanner for one fixed beginning, a number of characters of a set, and a fixed end. */
function framed(
  begin: string,
  inside: (point: number) => boolean,
  most: number,
  finish: string,
): Scanner {
  return (scan, at) => {
    let end = at;
    for (let i = 0; i < begin.length; i++)
      if (scan.point(end++) !== begin.charCodeAt(i)) return NONE;
    const start = end;
    while (end < scan.end && end - start < most && inside(scan.points[end])) end++;
    return end > start && scan.point(end) === finish.charCodeAt(0) ? end + 1 : NONE;
  };
}

const chameleonGap: Scanner = (scan, at) => {
  const point = scan.point(at);
  if (point === 9 || point === LF) return at + 1;
  let end = at;
  while (end - at < 4 && scan.point(end) === 32) end++;
  return end - at === 4 ? end : end - at >= 2 ? at + 2 : NONE;
};
const chameleon: readonly Scanner[] = [
  framed("<sentinel:", classes.isDigit, Number.POSITIVE_INFINITY, ">"),
  framed("IMGIMG", (point) => point >= 0x41 && point <= 0x49, 4, "Z"),
  chameleonGap,
  numbers(1),
  oneOf((point) => classes.isAsciiPunctuation(point) || (category(point) & PUNCTUATION) !== 0),
  gpt2,
];

const falconMarks = classes.among("$+<=>^~|`");
const defaultMarks = classes.among("$+<=>^~|");
const punctuationOr = (marks: (point: number) => boolean): Scanner =>
  runOf((point) => marks(point) || (category(point) & PUNCTUATION) !== 0);
const threeDigits: Scanner = (scan, at) =>
  classes.isDigit(scan.point(at)) &&
  classes.isDigit(scan.point(at + 1)) &&
  classes.isDigit(scan.point(at + 2))
    ? at + 3
    : NONE;
/** Before each place from which a multiple of three digits follows. */
const threesFromRight: Scanner = (scan, at) => {
  const rest = scan.digitEnd(at) - at;
  return rest > 0 && rest % 3 === 0 ? at + 3 : NONE;
};
const bloomWords = blankRunOf(classes.isBloomWord);

const common: PreTokenizer = {
  passes: [],
  byteLevel: true,
  cuts: [LF, BLANK],
  wholeWords: false,
  wholeNewlines: false,
  addBos: false,
  alwaysBos: false,
  noDefaultBos: false,
  escapeSpaces: false,
  dropSpaces: false,
  cleanSpaces: true,
};
const keepSpaces: Partial<PreTokenizer> = { cleanSpaces: false };

const table = new Map<string, PreTokenizer>();
function define(names: string, passes: readonly Scanner[], habits?: Partial<PreTokenizer>): void {
  for (const name of names.split(" ")) table.set(name, { ...common, ...habits, passes });
}

define("default", [punctuationOr(defaultMarks), gpt2, numbers(), threeDigits]);
define("llama3 llama-v3 llama-bpe falcon3 falcon-h1 pixtral midm-2.0 lfm2 jina-v5-nano", [llama3], {
  wholeWords: true,
  addBos: true,
});
define("dbrx smaug-bpe", [llama3]);
define("glm4 chatglm-bpe", [llama3], { noDefaultBos: true });
define("minicpm5", [numbers(3), llama3], { wholeWords: true });
define("jais-2", [
  anyOf(anyContraction, word, numbers(3), punctuation(lineBreaks), newlines, halvedSpaces),
]);
define("qwen2 deepseek-r1-qwen kormo f2llmv2 hunyuan solar-open grok-2", [qwen2], keepSpaces);
define("bailingmoe bailingmoe2 llada-moe", [qwen2], keepSpaces);
define("stablelm2 megrez", [qwen2]);
define("qwen35", [qwen35], keepSpaces);
define("laguna", [lines, qwen2], { ...keepSpaces, cuts: [LF] });
define("ufakzeka", [
  anyOf(word, numbers(1), punctuation(lineBreaks), newlines, spaces),
], keepSpaces);
define("seed-coder", [seedCoder], keepSpaces);
define("tekken", [tekken], { cleanSpaces: false, wholeWords: true, addBos: true });
define("gpt-4o llama4 kanana2 talkie minimax-m2", [gpt4o(LETTER)], keepSpaces);
define("granite-embed-multi-97m", [gpt4o(LETTER | MARK)], { cleanSpaces: false, wholeWords: true });
define("tiny_aya cohere2moe", [numbersFromRight, uncased(3)], keepSpaces);
define("youtu", [
  anyOf(
    runOf(classes.isHangul),
    runOf(classes.isYoutuPunctuation),
    runOf(classes.isBopomofo),
    runOf(classes.isHanOrKana),
  ),
  uncased(1),
], { cleanSpaces: false, wholeWords: true });
define("deepseek-llm", [
  oneOf(lineBreak),
  spacedRunOf(classes.isDeepseekLetter),
  spacedRunOf(classes.isDeepseekPunctuation),
  trailingSpaces,
  runOf(classes.isDeepseekCjk),
  numbers(),
], keepSpaces);
define("deepseek-coder", [
  oneOf(lineBreak),
  spacedRunOf((point) => (category(point) & LETTER) !== 0),
  spacedRunOf((point) => (category(point) & PUNCTUATION) !== 0),
  runOf(classes.isDeepseekCjk),
  numbers(1),
], keepSpaces);
define("deepseek-v3 hunyuan-dense joyai-llm hy_v4", [
  numbers(3),
  runOf(classes.isHanOrKana),
  deepseek3,
], keepSpaces);
define("spark2_5", [numbers(3), runOf(classes.isHanOrKana), spark, numbers(1)], keepSpaces);
define("afmoe", [numbersFromRight, runOf(classes.isAfmoeScript), deepseek3], keepSpaces);
define("kimi-k2", [kimi], keepSpaces);
define("superbpe", [numbers(), threesFromRight], { ...keepSpaces, cuts: [] });
define("exaone-moe", [
  anyOf(
    anyContraction,
    joinedWords,
    numbers(1),
    withOptional(
      punctuation([]),
      oneOf((point) => lineBreaksAndSlash.includes(point)),
    ),
    newlines,
    spaces,
  ),
], { cuts: [LF] });
define("falcon", [punctuationOr(falconMarks), gpt2, threeDigits]);
define("starcoder refact codeshell exaone minerva-7b mellum2", [numbers(1), gpt2]);
define("command-r smollm", [numbers(1), gpt2], keepSpaces);
define("gpt-2 phi-2 jina-es jina-de gigachat jina-v2-es jina-v2-de a.x-4.0 mellum", [gpt2]);
define("modern-bert exaone4 jina-v1-en jina-v2-code roberta-bpe mpt olmo jais", [gpt2]);
define("trillion granite-docling", [gpt2], keepSpaces);
define("poro-chat", [bloomWords], keepSpaces);
define("bloom gpt3-finnish", [bloomWords]);
define("viking", [bloomWords, numbers(1)], keepSpaces);
define("chameleon", chameleon, { cleanSpaces: false, addBos: true });
define("gemma4 granite-embed-multi-311m", [lines], {
  byteLevel: false,
  cuts: [LF],
  escapeSpaces: true,
  wholeNewlines: true,
  alwaysBos: true,
});
define("sarvam-moe", [lines], {
  byteLevel: false,
  cuts: [LF],
  escapeSpaces: true,
  cleanSpaces: false,
});
define("whitespace", [], { byteLevel: false, dropSpaces: true });

/** All names that are known. */
export function preTokenizerNames(): string[] {
  return [...table.keys()];
}

/** The pre-tokenizer of a name, if it is known. */
export function preTokenizer(name: string): PreTokenizer | undefined {
  return table.get(name);
}
