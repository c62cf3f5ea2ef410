/** Small vocabularies made by hand: each algorithm, special tokens, growth, and bad files. */
import { describe, expect, it } from "vitest";
import { WebggufError } from "../../src/base/errors.ts";
import { atOnce } from "../../src/base/steps.ts";
import type { MetadataValue } from "../../src/file/metadata.ts";
import { Metadata } from "../../src/file/metadata.ts";
import { byteCharacters, byteToken } from "../../src/tokenizer/bpe.ts";
import { Merger } from "../../src/tokenizer/merge.ts";
import {
  createTokenizer,
  encodeSteps,
  type Tokenizer,
  tokenizerSteps,
} from "../../src/tokenizer/tokenizer.ts";
import { readVocabulary } from "../../src/tokenizer/vocab/index.ts";
import { PairMap } from "../../src/tokenizer/vocab/pairs.ts";
import { SpecialSplitter } from "../../src/tokenizer/vocab/split.ts";

type Values = Record<string, MetadataValue | undefined>;

/** Metadata under `tokenizer.ggml.`; a key with a dot in it stays as it is. */
function metadata(values: Values): Metadata {
  const pairs = Object.entries(values).filter(([, value]) => value !== undefined);
  return new Metadata(
    "made.gguf",
    new Map(
      pairs.map(([key, value]) => [
        key.includes("general.") ? key : `tokenizer.ggml.${key}`,
        value as MetadataValue,
      ]),
    ),
  );
}

const ids = (tokenizer: Tokenizer, text: string, parseSpecial = false): string[] =>
  Array.from(tokenizer.encode(text, { parseSpecial }), (id) => tokenizer.token(id));

/** Whole numbers below a limit, the same ones in each run. */
const random = (seed: number): ((limit: number) => number) => {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
};

const normal = 1;
const unknown = 2;
const control = 3;
const userDefined = 4;
const byte = 6;

/** Byte-level BPE over all bytes, with merges and more tokens. */
function bytePairs(
  pre: string,
  merges: string[],
  more: [string, number][] = [],
  other: Values = {},
) {
  const merged = merges.map((merge) => merge.replace(" ", ""));
  const tokens = [...byteCharacters, ...merged, ...more.map(([text]) => text)];
  const types = Int32Array.from(
    tokens,
    (_, id) => more[id - byteCharacters.length - merged.length]?.[1] ?? normal,
  );
  return createTokenizer(
    metadata({ model: "gpt2", pre, tokens, token_type: types, merges, ...other }),
  );
}

describe("byte pairs", () => {
  it("merges the lowest rank first, and the leftmost of equal ones", () => {
    const tokenizer = bytePairs("gpt-2", ["b c", "a b", "a a", "aa a"]);
    expect(ids(tokenizer, "abc")).toEqual(["a", "bc"]);
    expect(ids(tokenizer, "abb")).toEqual(["ab", "b"]);
    expect(ids(tokenizer, "aaaaa")).toEqual(["aa", "aaa"]);
  });

  it("takes a whole word where the pre-tokenizer allows it", () => {
    const word: [string, number][] = [["hello", normal]];
    expect(ids(bytePairs("llama-bpe", [], word, { add_bos_token: false }), "hello")).toEqual([
      "hello",
    ]);
    expect(ids(bytePairs("gpt-2", [], word), "hello")).toHaveLength(5);
  });

  it("falls to bytes when a merge makes no token", () => {
    const tokenizer = createTokenizer(
      metadata({ model: "gpt2", pre: "gpt-2", tokens: [...byteCharacters], merges: ["a b"] }),
    );
    expect(ids(tokenizer, "cab")).toEqual(["c", "a", "b"]);
  });

  it("needs no merges for Kimi's files only", () => {
    const kimi = { model: "gpt2", pre: "kimi-k2", tokens: [...byteCharacters] };
    expect(ids(createTokenizer(metadata(kimi)), "ab")).toEqual(["a", "b"]);
    expect(() => createTokenizer(metadata({ ...kimi, pre: "gpt-2" }))).toThrow(/merges/);
  });

  it("drops white space and lowers where the model says so", () => {
    const tokens = ["a", "b", "ab", "é"];
    const values = { model: "whitespace", pre: "whitespace", tokens, merges: ["a b"] };
    expect(ids(createTokenizer(metadata(values)), " ab\u3000é ")).toEqual(["ab", "é"]);
    const lowering = metadata({ ...values, "normalizer.lowercase": true });
    expect(ids(createTokenizer(lowering), "AB É")).toEqual(["ab", "é"]);
  });
});

describe("SentencePiece", () => {
  const bytes = Array.from({ length: 256 }, (_, value) => byteToken(value));
  const pieces = ["▁", "a", "b", "ab", "▁ab", "aba"];
  const values = {
    model: "llama",
    tokens: ["<unk>", "<s>", "</s>", ...bytes, ...pieces],
    scores: Float32Array.of(0, 0, 0, ...bytes.map(() => 0), -4, -5, -6, -1, -3, -2),
    token_type: Int32Array.of(
      unknown,
      control,
      control,
      ...bytes.map(() => byte),
      ...pieces.map(() => normal),
    ),
  };

  it("merges the best score first and spells the rest in bytes", () => {
    const tokenizer = createTokenizer(metadata(values));
    expect(ids(tokenizer, "abab")).toEqual(["<s>", "▁ab", "ab"]);
    expect(ids(tokenizer, "é")).toEqual(["<s>", "▁", "<0xC3>", "<0xA9>"]);
    expect(ids(tokenizer, "a<s>b", true)).toEqual(["<s>", "▁", "a", "<s>", "▁", "b"]);
  });

  it("follows the file on BOS, EOS and the space in front", () => {
    const tokenizer = createTokenizer(
      metadata({
        ...values,
        add_bos_token: false,
        add_eos_token: true,
        add_space_prefix: false,
      }),
    );
    expect(ids(tokenizer, "ab")).toEqual(["ab", "</s>"]);
    expect(tokenizer.decode(tokenizer.encode("ab"), { removeSpecial: true })).toBe("ab");
    expect([tokenizer.addBos, tokenizer.addEos]).toEqual([false, true]);
  });
});

describe("WordPiece", () => {
  const tokens = ["[UNK]", "[CLS]", "[SEP]", "▁un", "aff", "able", "▁cafe", "▁!", "▁天", "▁É"];
  const values = {
    model: "bert",
    tokens,
    token_type: Int32Array.of(control, control, control, ...tokens.slice(3).map(() => normal)),
    unknown_token_id: 0,
    bos_token_id: 1,
    seperator_token_id: 2,
  };

  it("takes longest matches of lowered words without accents", () => {
    const tokenizer = createTokenizer(metadata(values));
    expect(ids(tokenizer, "Unaffable CAFÉ!天x")).toEqual([
      ...["[CLS]", "▁un", "aff", "able", "▁cafe", "▁!", "▁天", "[UNK]", "[SEP]"],
    ]);
  });

  it("takes a word for unknown as a whole, even if its beginning is a token", () => {
    const tokenizer = createTokenizer(metadata(values));
    expect(ids(tokenizer, "unx cafe")).toEqual(["[CLS]", "[UNK]", "▁cafe", "[SEP]"]);
  });

  it("keeps case and accents where the file says so", () => {
    const cased = metadata({ ...values, "normalizer.lowercase": false });
    expect(ids(createTokenizer(cased), "É")).toEqual(["[CLS]", "▁É", "[SEP]"]);
  });
});

describe("Unigram", () => {
  const entries: [string, number, number][] = [
    ["<pad>", 0, control],
    ["</s>", 0, control],
    ["<unk>", 0, unknown],
    ["▁", -3, normal],
    ["a", -2, normal],
    ["b", -2.5, normal],
    ["ab", -4, normal],
    ["▁a", -4.25, normal],
    ["ba", -1.5, normal],
    ["bab", -3.75, normal],
    ["▁ab", -5, normal],
    ["<x>", 0, userDefined],
  ];
  const values = {
    model: "t5",
    tokens: entries.map(([text]) => text),
    scores: Float32Array.from(entries, ([, score]) => score),
    token_type: Int32Array.from(entries, ([, , type]) => type),
    add_space_prefix: true,
    remove_extra_whitespaces: true,
  };

  /** Best sum of scores over all ways to cut a text. */
  function bestScore(text: string): number {
    const best = [0];
    for (let end = 1; end <= text.length; end++) {
      best[end] = Number.NEGATIVE_INFINITY;
      for (const [token, score] of entries.slice(3))
        if (text.slice(0, end).endsWith(token))
          best[end] = Math.max(best[end], best[end - token.length] + score);
    }
    return best[text.length];
  }

  it("takes a character for unknown if no token is that character, though one begins with it", () => {
    const tokens: [string, number, number][] = [
      ["<unk>", 0, unknown],
      ["</s>", 0, control],
      ["ab", -9, normal],
      ["bc", -1, normal],
    ];
    const tokenizer = createTokenizer(
      metadata({
        ...values,
        tokens: tokens.map(([text]) => text),
        scores: Float32Array.from(tokens, ([, score]) => score),
        token_type: Int32Array.from(tokens, ([, , type]) => type),
        unknown_token_id: 0,
        add_space_prefix: false,
        remove_extra_whitespaces: false,
      }),
    );
    // An unknown character costs 10 more than the worst token: 19 + 1 are less than 9 + 19.
    expect(ids(tokenizer, "abc")).toEqual(["<unk>", "bc", "</s>"]);
    expect(ids(tokenizer, "abbc")).toEqual(["ab", "bc", "</s>"]);
  });

  it("finds the most probable cutting", () => {
    const tokenizer = createTokenizer(metadata(values));
    for (let n = 0; n < 512; n++) {
      const text = n.toString(2).replaceAll("0", "a").replaceAll("1", "b");
      const tokens = ids(tokenizer, text);
      expect(tokens.pop()).toBe("</s>");
      expect(tokens.join("")).toBe(`▁${text}`);
      const score = tokens.reduce(
        (sum, token) => sum + entries.find(([known]) => known === token)![1],
        0,
      );
      expect(score).toBeCloseTo(bestScore(`▁${text}`), 6);
    }
  });

  describe("in slices", () => {
    /** Tokens of which some lie across others, some characters unknown. */
    const drawn = (below: (n: number) => number): [string, number, number][] => {
      const texts = new Set(["a", ..."bc"].filter(() => below(4) > 0));
      while (texts.size < 8) texts.add(word(below, 1 + below(5)));
      return [
        ...entries.slice(0, 3),
        ...Array.from(texts, (text): [string, number, number] => [
          text,
          // Often equal sums.
          -(1 + below(4)) * text.length,
          below(9) === 0 ? userDefined : normal,
        ]),
      ];
    };
    const word = (below: (n: number) => number, length: number): string =>
      Array.from({ length }, () => "aab▁bc"[below(6)]).join("");
    const made = (some: readonly [string, number, number][]): Tokenizer =>
      createTokenizer(
        metadata({
          ...values,
          tokens: some.map(([text]) => text),
          scores: Float32Array.from(some, ([, score]) => score),
          token_type: Int32Array.from(some, ([, , type]) => type),
          unknown_token_id: 2,
        }),
      );

    it("are the same tokens, and as many as allowed are never too many", () => {
      for (let seed = 1; seed <= 25; seed++) {
        const below = random(seed);
        const tokenizer = made(drawn(below));
        const text = Array.from({ length: 500 }, () =>
          below(5) === 0 ? "x天".repeat(below(4)) : word(below, below(9)).replaceAll("▁", " "),
        ).join(["", " "][below(2)]);
        const whole = Array.from(tokenizer.encode(text));
        for (const slice of [1, 7, 100]) {
          const cut = (most: number) => atOnce(encodeSteps(tokenizer, text, {}, most, slice));
          expect(cut(Number.POSITIVE_INFINITY)).toEqual(whole);
          expect(cut(whole.length)).toEqual(whole);
          expect(cut(whole.length - 1)).toBe(undefined);
        }
      }
    });

    it("come as far as wanted, whether or not tokens lie across every place", () => {
      const across: [string, number, number][] = ["a", "aa", "aaa"].map((text) => [
        text,
        -1,
        normal,
      ]);
      for (const tokenizer of [made(entries), made([...entries.slice(0, 3), ...across])]) {
        const text = "a".repeat(1e6);
        const steps = encodeSteps(tokenizer, text, {}, 1000, 4096);
        let count = 0;
        while (!steps.next().done) count++;
        expect(count).toBeLessThan(10);
        expect(tokenizerSteps(tokenizer)).toBeLessThan(100_000);
      }
    });

    it("give others their turn", () => {
      const count = (slice: number): number =>
        Array.from(encodeSteps(made(entries), "ab ".repeat(9000), {}, 1e9, slice)).length;
      expect(count(1000)).toBeGreaterThan(25);
      expect(count(1e6)).toBeLessThan(3);
    });
  });

  it("joins unknown characters, merges spaces and keeps user-defined tokens", () => {
    const tokenizer = createTokenizer(metadata(values));
    expect(ids(tokenizer, "  a   b ")).toEqual(["▁a", "▁", "b", "</s>"]);
    expect(ids(tokenizer, "a天地b")).toEqual(["▁a", "<unk>", "b", "</s>"]);
    expect(ids(tokenizer, "ab<x>a")).toEqual(["▁ab", "<x>", "▁a", "</s>"]);
  });

  /** A character map of one entry: "A" becomes "a". */
  function charsmap(): Uint8Array {
    const entries32 = new Uint32Array(512);
    const base = 256;
    entries32[0] = base << 10;
    // From the root's base, byte 0x41 leads to a leaf whose own base leads to the value.
    const node = base ^ 0x41;
    const valueAt = 5;
    entries32[node] = 0x41 | 0x100 | ((node ^ valueAt) << 10);
    entries32[valueAt] = 0x80000000 | 2;
    const texts = Uint8Array.of(0x7a, 0, 0x61, 0);
    const map = new Uint8Array(4 + entries32.byteLength + texts.length);
    new DataView(map.buffer).setUint32(0, entries32.byteLength, true);
    map.set(new Uint8Array(entries32.buffer), 4);
    map.set(texts, 4 + entries32.byteLength);
    return map;
  }

  it("replaces characters by the file's map", () => {
    const tokenizer = createTokenizer(metadata({ ...values, precompiled_charsmap: charsmap() }));
    expect(ids(tokenizer, "Ab")).toEqual(["▁ab", "</s>"]);
  });

  it("refuses maps that lead out of themselves", () => {
    const short = charsmap().subarray(0, 3);
    const open = charsmap();
    open[open.length - 1] = 0x61;
    const wild = charsmap();
    new DataView(wild.buffer).setUint32(4, 0x7ffffc00, true);
    expect(() => createTokenizer(metadata({ ...values, precompiled_charsmap: short }))).toThrow(
      WebggufError,
    );
    for (const map of [open, wild]) {
      const tokenizer = createTokenizer(metadata({ ...values, precompiled_charsmap: map }));
      expect(() => tokenizer.encode("A")).toThrow(WebggufError);
    }
  });
});

describe("RWKV", () => {
  it("takes the longest token, and unescapes them", () => {
    const tokens = ["<s>", "\\n", "\\x61", "ab", "abc", "\\\\", "\\xe5", "天"];
    const tokenizer = createTokenizer(metadata({ model: "rwkv", tokens }));
    expect([...tokenizer.encode("abca\nab\\天")]).toEqual([4, 2, 1, 3, 5, 7]);
    expect(tokenizer.decode([4, 2, 1, 3, 5, 7])).toBe("abca\nab\\天");
    expect([...tokenizer.bytes(6)]).toEqual([0xe5]);
  });
});

describe("PLaMo 2", () => {
  const bytes = Array.from({ length: 256 }, (_, value) => byteToken(value));
  const pieces: [string, number][] = [
    ["a", -2],
    ["b", -2],
    ["ab", -4],
    ["ba", -1],
    ["天", -3],
  ];
  const tokens = ["<unk>", ...bytes, ...pieces.map(([text]) => text)];
  const values = {
    model: "plamo2",
    tokens,
    scores: Float32Array.of(0, ...bytes.map(() => 0), ...pieces.map(([, score]) => score)),
    token_type: Int32Array.of(unknown, ...bytes.map(() => byte), ...pieces.map(() => normal)),
  };

  it("takes the best sum, of equal ones the longer token, and bytes for the rest", () => {
    const tokenizer = createTokenizer(metadata(values));
    expect(ids(tokenizer, "ab")).toEqual(["ab"]);
    expect(ids(tokenizer, "aba")).toEqual(["a", "ba"]);
    expect(ids(tokenizer, "\ufeff天é")).toEqual(["天", "<0xC3>", "<0xA9>"]);
    expect(tokenizer.decode(tokenizer.encode("ab天é\n"))).toBe("ab天é\n");
  });

  it("needs a token for each byte", () => {
    const tokensWithout = tokens.map((text) => (text === "<0x41>" ? "x" : text));
    expect(() => createTokenizer(metadata({ ...values, tokens: tokensWithout }))).toThrow(/<0x41>/);
  });
});

describe("special tokens", () => {
  const marks: [string, number][] = [
    ["<a>", control],
    ["<a><b>", control],
    ["b>x", userDefined],
    ["xyz<a", userDefined],
    ["<mask>", control],
  ];

  it("are found longest first, then left to right, like one search after the other", () => {
    const tokenizer = bytePairs("gpt-2", [], marks);
    const read = (text: string) => ids(tokenizer, text, true).join("|");
    expect(read("1<a><b>x")).toBe("1|<a><b>|x");
    expect(read("xyz<a><b>")).toBe("x|y|z|<a><b>");
    expect(read("xyz<a>")).toBe("xyz<a|>");
    expect(ids(tokenizer, "<a>b>x").join("|")).toBe("<|a|>|b>x");
  });

  it("agree with searching one after the other on random texts", () => {
    const texts = ["aa", "ab", "aba", "b", "bab", "aabb", "abab"];
    const tokens = [...byteCharacters, ...texts.slice(0, 3), ...texts.slice(4)];
    const types = Int32Array.from(tokens, (_, id) => (id < 256 ? normal : userDefined));
    const vocabulary = readVocabulary(
      metadata({ model: "gpt2", pre: "gpt-2", tokens, token_type: types, merges: [] }),
    );
    const splitter = new SpecialSplitter(vocabulary, true);
    const ordered = tokens.slice(256).sort((a, b) => b.length - a.length);
    for (let n = 0; n < 3000; n++) {
      const text = (n * 7919).toString(3).replaceAll("0", "a").replaceAll("1", "b");
      let parts: string[] = [text];
      for (const token of ordered)
        parts = parts.flatMap((part) =>
          part.startsWith("[")
            ? [part]
            : part.split(token).flatMap((rest, i) => (i ? [`[${token}]`, rest] : [rest])),
        );
      const found = splitter
        .split(new TextEncoder().encode(text))
        .map((part) =>
          "token" in part ? `[${tokens[part.token]}]` : text.slice(part.start, part.end),
        );
      expect(found).toEqual(parts.filter((part) => part !== ""));
    }
  });

  it("take the white space beside them where the model says so", () => {
    const strip = bytePairs("jina-v2-de", [], marks);
    expect(ids(strip, "a \n<mask> b", true)).toEqual(["a", "<mask>", "Ġ", "b"]);
    const phi = bytePairs("gpt-2", [], marks, { "general.name": "Phi-3 mini" });
    expect(ids(phi, "a <a> \n b", true)).toEqual(["a", "Ġ", "<a>", "b"]);
  });

  it("end generation by id and by text, but for harmony's <|end|>", () => {
    const ends = (more: [string, number][], other: Values = {}) => {
      const tokenizer = bytePairs("gpt-2", [], more, other);
      return [...tokenizer.endTokens].map((id) => tokenizer.token(id)).sort();
    };
    const harmony: [string, number][] = [
      ["<|end|>", control],
      ["<|return|>", control],
      ["<|call|>", control],
      ["<|channel|>", control],
    ];
    expect(ends(harmony.slice(0, 1), { eos_token_id: 256 })).toEqual(["<|end|>"]);
    expect(ends(harmony, { eos_token_id: 257 })).toEqual(["<|call|>", "<|return|>"]);
    expect(ends([["<bye>", control]], { eos_token_id: 1, eot_token_id: 256 })).toContain("<bye>");
    const visible = bytePairs("gpt-2", [], harmony);
    expect(visible.decode([256, 259])).toBe("<|end|><|channel|>");
    // A token that looks like an end is hidden even if the file calls it normal.
    expect(bytePairs("gpt-2", [], [["<|im_end|>", normal]]).decode([256])).toBe("");
  });
});

describe("growth", () => {
  it("of merging is n log n, whatever the text", () => {
    const all = { find: () => 0, order: () => 0, result: () => 0 };
    const tree = {
      find: (left: number, right: number) => (left === right && left < 20 ? left : -1),
      order: (rule: number) => rule,
      result: (rule: number) => rule + 1,
    };
    for (const rules of [all, tree]) {
      const steps = (count: number): number => {
        const merger = new Merger(rules);
        merger.reserve(count).fill(0);
        merger.merge(count);
        return merger.steps;
      };
      for (let count = 2000; count < 100_000; count *= 2)
        expect(steps(2 * count) / steps(count)).toBeLessThan(2.4);
      expect(steps(64_000)).toBeLessThan(64_000 * 16 * 4);
    }
  });

  it("of every algorithm is linear or close to it", () => {
    const tokens = ["<unk>", "<s>", "</s>", "▁", "a", "aa", "aaa", "aaaa", "▁a"];
    const types = Int32Array.of(unknown, control, control, 1, 1, 1, 1, 1, 1);
    const scores = Float32Array.from(tokens, (_, id) => -id);
    const common = { tokens, token_type: types, scores, unknown_token_id: 0 };
    for (const model of ["llama", "bert", "t5", "rwkv"]) {
      const steps = (length: number): number => {
        const tokenizer = createTokenizer(metadata({ ...common, model }));
        tokenizer.encode("a".repeat(length));
        return tokenizerSteps(tokenizer);
      };
      for (const length of [1000, 4000, 16_000])
        expect(steps(2 * length) / steps(length)).toBeLessThan(2.4);
    }
  });
});

describe("pairs of integers", () => {
  it("are kept as a Map keeps them", () => {
    const pairs = new PairMap();
    const map = new Map<string, number>();
    let state = 3;
    for (let i = 0; i < 20_000; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      const [first, second] = [state % 300, (state >>> 16) % 300];
      const stored = !map.has(`${first} ${second}`);
      if (stored) map.set(`${first} ${second}`, i);
      expect(pairs.add(first, second, i)).toBe(stored);
    }
    expect(pairs.size).toBe(map.size);
    for (const [key, value] of map) {
      const [first, second] = key.split(" ").map(Number);
      expect(pairs.get(first, second)).toBe(value);
    }
    expect(pairs.get(1000, 1)).toBe(-1);
  });
});

describe("hostile vocabularies", () => {
  it("with tokens as long as the text do not make the work grow faster", () => {
    for (const [model, type] of [
      ["bert", normal],
      ["t5", normal],
      ["rwkv", normal],
      ["llama", userDefined],
    ] as const) {
      const steps = (length: number): number => {
        const tokens = ["<unk>", "a", "a".repeat(length + 1), "▁"];
        const types = Int32Array.of(unknown, normal, type, normal);
        const tokenizer = createTokenizer(
          metadata({ model, tokens, token_type: types, unknown_token_id: 0 }),
        );
        tokenizer.encode("a".repeat(length), { parseSpecial: true });
        return tokenizerSteps(tokenizer);
      };
      expect(steps(16_000)).toBeLessThanOrEqual(2.4 * steps(8_000));
    }
  });
});

describe("files that cannot be used", () => {
  const good: Values = {
    model: "gpt2",
    pre: "gpt-2",
    tokens: [...byteCharacters],
    token_type: new Int32Array(256).fill(normal),
    merges: ["a b"],
  };
  const cases: [string, Values, string][] = [
    ["no tokenizer", { model: undefined }, "model/no-tokenizer"],
    ["a stub", { model: "test" }, "model/no-tokenizer"],
    ["no vocabulary", { model: "no_vocab" }, "model/no-tokenizer"],
    ["an inherited name", { model: "constructor" }, "model/no-tokenizer"],
    ["a model that is a number", { model: 3 }, "model/invalid"],
    ["no tokens", { tokens: undefined }, "model/no-tokenizer"],
    ["an empty list of tokens", { tokens: [] }, "model/invalid"],
    ["tokens that are numbers", { tokens: Int32Array.of(1, 2) }, "model/invalid"],
    ["an unknown pre-tokenizer", { pre: "__proto__" }, "model/unsupported"],
    ["too few types", { token_type: Int32Array.of(1) }, "model/invalid"],
    ["types that are texts", { token_type: ["1"] }, "model/invalid"],
    ["too few scores", { scores: Float32Array.of(1) }, "model/invalid"],
    ["no merges", { merges: undefined }, "model/invalid"],
    ["merges that are numbers", { merges: Int32Array.of(1) }, "model/invalid"],
    ["a merge of one text", { merges: ["ab"] }, "model/invalid"],
    ["an empty merge", { merges: [""] }, "model/invalid"],
    ["a flag that is no flag", { add_bos_token: "yes" }, "model/invalid"],
  ];
  it.each(cases)("%s", (_, change, code) => {
    let caught: unknown;
    try {
      createTokenizer(metadata({ ...good, ...change }));
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(WebggufError);
    expect((caught as WebggufError).code).toBe(code);
    expect((caught as WebggufError).message).toContain("made.gguf");
    expect((caught as WebggufError).message).not.toContain("\n");
  });

  it("but odd ones work: equal and empty tokens, ids out of range, wild types", () => {
    const tokens = [...byteCharacters, "ab", "ab", "", "__proto__"];
    const tokenizer = createTokenizer(
      metadata({
        ...good,
        tokens,
        token_type: Int32Array.from(tokens, (_, id) => (id < 256 ? normal : 99)),
        bos_token_id: 1e9,
        eos_token_id: -5,
        add_bos_token: true,
      }),
    );
    // BOS is out of range, so it is the family's default, token 11.
    expect(ids(tokenizer, "ab__proto__").slice(0, 3)).toEqual([tokens[11], "ab", "_"]);
    expect(tokenizer.token(258)).toBe("[EMPTY_258]");
    expect(tokenizer.decode([256, 259])).toBe("");
  });
});
