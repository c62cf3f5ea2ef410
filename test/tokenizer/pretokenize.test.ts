/** Every pre-tokenizer against the regular expressions that it stands for, on random text. */
import { describe, expect, it } from "vitest";
import { preTokenizer, preTokenizerNames } from "../../src/tokenizer/pretokenize/index.ts";
import { cutAll } from "../../src/tokenizer/pretokenize/scan.ts";

const contraction = "'s|'t|'re|'ve|'m|'ll|'d";
const any = "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])";
const tail = "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const gpt2 = `${contraction}| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+`;
const lead = "[^\\r\\n\\p{L}\\p{N}]?";
const llama3 = `${any}|${lead}\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|${tail}`;
const qwen2 = `${any}|${lead}\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|${tail}`;
const lines = "[^\\n]+|[\\n]+";
const upper = (letter: string): string => `(?:(?=[${letter}])[^a-z])`;
const lower = (letter: string): string => `(?:(?=[${letter}])[^A-Z])`;
const cased = (letter: string, after: string): string =>
  `${lead}${upper(letter)}*${lower(letter)}+${after}|${lead}${upper(letter)}+${lower(letter)}*${after}`;
const slashes = ` ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|${tail}`;
const uncased = (number: string): string => `${lead}[\\p{L}\\p{M}]+${any}?|${number}|${slashes}`;
/** [\p{P}\p{S}] as llama.cpp has it: without the tilde. */
const marks = "!-#%-*,-\\/:;?@\\[-\\]_\\{\\}$+<->\\^`\\|";
const notAscii = "(?:(?![\\x00-\\x7f])[\\p{P}\\p{S}])";
const mark = `(?:[${marks}]|${notAscii})`;
const deepseekLead = `(?:(?!${mark})[^\\r\\n\\p{L}])?`;
const punctuated = "[!-\\/:-@\\[-`\\{-~][A-Za-z]+";
const deepseek3 = `${punctuated}|${deepseekLead}[\\p{L}\\p{M}]+| ?${mark}+[\\r\\n]*|${tail}`;
const hanKana = "[一-龥\\u3040-\\u309f\\u30a0-\\u30ff]+";
const bloom = " ?[^\\s(|.,!?…。，、।۔،)]+";
const cjk = "(?:(?!\\s)[\\u0800-\\u9fa5\\uac00-\\ud7ff])+";
const fromRight = "\\p{N}{1,3}(?=(?:\\p{N}{3})*(?!\\p{N}))";
const halves = [512, 256, 128, 64, 32, 16, 8, 4].map((n) => `\\s{${n}}(?!\\S)`).join("|");
const digits1 = "\\p{N}";
const digits3 = "\\p{N}{1,3}";
const starcoder = [digits1, gpt2];

/** What llama.cpp's patterns mean, by name; names with equal patterns share an entry. */
const patterns: Readonly<Record<string, readonly string[]>> = {
  default: ["[\\p{P}$+<=>\\^~\\|]+", gpt2, "\\p{N}+", "[0-9][0-9][0-9]"],
  "llama3 llama-v3 llama-bpe falcon3 falcon-h1 pixtral midm-2.0 lfm2 jina-v5-nano": [llama3],
  "dbrx smaug-bpe glm4 chatglm-bpe": [llama3],
  minicpm5: [digits3, llama3.replace("{1,3}", "+")],
  "jais-2": [llama3.replace("\\s+(?!\\S)|\\s+", `${halves}|\\s{1,2}(?!\\S)|\\s{1}`)],
  "qwen2 deepseek-r1-qwen kormo f2llmv2 hunyuan solar-open grok-2 stablelm2 megrez": [qwen2],
  "bailingmoe bailingmoe2 llada-moe": [qwen2.replace("\\s*[\\r\\n]+", "\\s*[\\r\\n]")],
  qwen35: [`${any}|${lead}[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|${tail}`],
  laguna: [lines, qwen2],
  ufakzeka: [qwen2.replace(`${any}|`, "")],
  "seed-coder": [qwen2.replace("+[\\r\\n]*|", "+|").replace("[^\\s", "[^\\r\\n\\s")],
  tekken: [`${cased("\\p{L}", "")}|\\p{N}|${slashes}`],
  "gpt-4o llama4 kanana2 talkie minimax-m2": [
    `${cased("\\p{L}", `${any}?`)}|\\p{N}{1,3}|${slashes}`,
  ],
  "granite-embed-multi-97m": [`${cased("\\p{L}\\p{M}", `${any}?`)}|\\p{N}{1,3}|${slashes}`],
  "tiny_aya cohere2moe": [fromRight, uncased(digits3)],
  youtu: [
    `[가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-\\u303f\\ufe30-\\ufe4f]+|[ㄅ-ㄯ]+|${hanKana}`,
    uncased(digits1),
  ],
  "deepseek-coder": ["[\\r\\n]", "\\s?\\p{L}+", "\\s?\\p{P}+", cjk, digits1],
  "deepseek-v3 hunyuan-dense joyai-llm hy_v4": [digits3, hanKana, deepseek3],
  spark2_5: [
    digits3,
    hanKana,
    `${punctuated}|${deepseekLead}[\\p{L}\\p{M}]+| ?${mark}+|[\\r\\n]|\\s+(?!\\S)|\\s+`,
    digits1,
  ],
  superbpe: ["\\p{N}+", "(?<!.)\\p{N}{1,2}(?=(?:\\p{N}{3})+$)|\\p{N}{3}(?=(?:\\p{N}{3})*$)"],
  "exaone-moe": [
    `${any}|${lead}(?:\\p{L}\\p{M}*(?: \\p{L}\\p{M}*)*)+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]?|` +
      "\\s*[\\r\\n]|\\s+(?!\\S)|\\s+",
  ],
  falcon: ["[\\p{P}$+<=>\\^~\\|`]+", gpt2, "[0-9][0-9][0-9]"],
  "starcoder refact codeshell exaone minerva-7b mellum2 command-r smollm": starcoder,
  "gpt-2 phi-2 jina-es jina-de gigachat jina-v2-es jina-v2-de a.x-4.0 mellum": [gpt2],
  "modern-bert exaone4 jina-v1-en jina-v2-code roberta-bpe mpt olmo jais": [gpt2],
  "trillion granite-docling": [gpt2],
  "poro-chat bloom gpt3-finnish": [bloom],
  viking: [bloom, digits1],
  chameleon: [
    "<sentinel:[0-9]+>",
    "IMGIMG[A-I]{1,4}Z",
    "[\\t\\n]| {4}| {2}",
    digits1,
    "[\\p{P}!-\\/:-@\\[-`\\{-~]",
    gpt2,
  ],
  "gemma4 granite-embed-multi-311m sarvam-moe": [lines],
  afmoe: [
    fromRight,
    "[一-鿿㐀-䶿豈-\\ufaff\\u3040-\\u309f\\u30a0-\\u30ff･-ﾟ⼀-\\u2fdf\\u0e00-\\u0e7f\\u0e80-\\u0eff" +
      "\\u1780-\\u17ff\\u1000-\\u109f\\uaa60-\\uaa7f\\ua9e0-\\ua9ff가-\\ud7af\\u1100-\\u11ff]+",
    deepseek3,
  ],
  "kimi-k2": [
    "HAN+|[^\\r\\n\\p{L}\\p{N}]?(?:(?!HAN)\\p{L})+ANY?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|TAIL"
      .replaceAll("HAN", "[\\u4e00-\\u9fff\\u3400-\\u4dbf\\u{20000}-\\u{2a6df}\\uf900-\\ufaff]")
      .replace("ANY", any)
      .replace("TAIL", tail),
  ],
};

const patternsOf = (name: string): string =>
  Object.keys(patterns).find((names) => names.split(" ").includes(name)) ?? name;

/** `\s` is the property White_Space; JavaScript's own takes U+FEFF and not U+0085. */
const compile = (pattern: string): RegExp =>
  new RegExp(
    pattern.replaceAll("\\s", "\\p{White_Space}").replaceAll("\\S", "\\P{White_Space}"),
    "gu",
  );

/** Pieces after each pattern has cut what the one before left. */
function cutByPatterns(text: string, expressions: readonly RegExp[]): string[] {
  let pieces = [text];
  for (const expression of expressions) {
    pieces = pieces.flatMap((piece) => {
      const cut: string[] = [];
      let at = 0;
      for (const match of piece.matchAll(expression)) {
        if (match.index > at) cut.push(piece.slice(at, match.index));
        cut.push(match[0]);
        at = match.index + match[0].length;
      }
      if (at < piece.length) cut.push(piece.slice(at));
      return cut;
    });
  }
  return pieces;
}

function cutByScanners(text: string, name: string): string[] {
  const points = Int32Array.from(text, (character) => character.codePointAt(0)!);
  let start = 0;
  return cutAll(points, preTokenizer(name)!.passes).map((end) => {
    const piece = String.fromCodePoint(...points.subarray(start, end));
    start = end;
    return piece;
  });
}

const fragments = [
  ..."abcXYZzAséÉñЖжßǅʰαΩאبहिไ한ㄱㄅ天一龥鿿𠀀かカ々〇",
  ..."0123456789٣½Ⅷ②",
  ..."'’!?.,;:~/\\_-#$%^&*+=<>|`\"()[]{}@—…、。，！“”",
  ..."\u0301\u093f\u200d\u200b\ufeff\u0001\u007f\ufe0f😀👍🏽€™",
  ..."     \t\n\r\u00a0\u3000\u0085\u2028\u000b",
  "'s",
  "'RE",
  "'ll",
  " word",
  " Word",
  "123456",
  "   ",
  "    ",
  "\r\n",
  "\n\n",
  " \n ",
  "<sentinel:12>",
  "IMGIMGABZ",
];

/** A small generator, so that every run has the same texts. */
function* randomTexts(count: number): Generator<string> {
  let state = 12345;
  const next = (below: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  for (let i = 0; i < count; i++) {
    let text = "";
    for (let length = 1 + next(24); length > 0; length--) text += fragments[next(fragments.length)];
    yield text;
  }
}

describe("pre-tokenizers", () => {
  it.each(Object.entries(patterns))("%s cuts as its patterns", (names, sources) => {
    const expressions = sources.map(compile);
    for (const text of randomTexts(1500)) {
      const expected = cutByPatterns(text, expressions);
      for (const name of names.split(" "))
        expect({ text, pieces: cutByScanners(text, name) }).toEqual({ text, pieces: expected });
    }
  });

  it("are all compared", () => {
    // deepseek-llm's long list of letters is compared by its vocabulary; whitespace has no scanner.
    const compared = new Set(Object.keys(patterns).flatMap((names) => names.split(" ")));
    const others = preTokenizerNames().filter((name) => !compared.has(name));
    expect(others.sort()).toEqual(["deepseek-llm", "whitespace"]);
  });

  it("halve long white space for jais-2", () => {
    const lengths = (text: string): number[] =>
      cutByScanners(text, "jais-2").map((piece) => piece.length);
    expect(lengths(`${" ".repeat(700)}`)).toEqual([512, 128, 32, 16, 8, 4]);
    expect(lengths(`${" ".repeat(7)}x`)).toEqual([4, 2, 2]);
  });

  it("look at each character a bounded number of times", () => {
    const looks = (name: string, piece: string, length: number): number => {
      let count = 0;
      const points = Int32Array.from(piece.repeat(length), (c) => c.codePointAt(0)!);
      const counted = new Proxy(points, {
        get(target, key) {
          count++;
          return Reflect.get(target, key, target);
        },
      });
      cutAll(counted, preTokenizer(name)!.passes);
      return count;
    };
    const worst = [" ", "a", "A", "é", "7", "~", "\n", " \u3000", "éA", "😀", "'", "\u0301", "_/"];
    const seen = new Set<unknown>();
    for (const name of preTokenizerNames())
      for (const piece of worst) {
        if (seen.has(`${piece} ${patternsOf(name)}`)) continue;
        seen.add(`${piece} ${patternsOf(name)}`);
        const growth = looks(name, piece, 2400) / looks(name, piece, 1200);
        expect({ name, piece, linear: growth < 2.1 }).toEqual({ name, piece, linear: true });
      }
  });
});
