import { describe, expect, it } from "vitest";
import { parseGbnf } from "../../src/grammar/gbnf.ts";
import { CompiledGrammar, type GrammarMatcher } from "../../src/grammar/matcher.ts";
import { grammarVocabulary } from "../../src/grammar/vocabulary.ts";
import { randomGrammar } from "./random-grammar.ts";
import { CONTROL, END, randomFrom, SAME, texts } from "./texts.ts";

const vocabulary = grammarVocabulary(texts);
const tokenOf = (text: string): number | undefined => (text === "<control>" ? CONTROL : undefined);

const matcherOf = (grammar: string): GrammarMatcher =>
  new CompiledGrammar(parseGbnf(grammar, { tokenOf }), vocabulary).matcher();

function maskOf(matcher: GrammarMatcher): number[] {
  const mask = new Uint32Array(vocabulary.words);
  const count = matcher.mask(mask);
  const ids = Array.from({ length: texts.size }, (_, id) => id).filter(
    (id) => (mask[id >> 5] >>> (id & 31)) & 1,
  );
  expect(ids.length).toBe(count);
  return ids;
}

const allowedBy = (matcher: GrammarMatcher): number[] =>
  Array.from({ length: texts.size }, (_, id) => id).filter((id) => matcher.allows(id));

/** Grammars whose states go on with any plain characters, counted and not. */
const plain = [
  'root ::= "\\"" [^"\\\\\\x7F\\x00-\\x1F]* "\\""',
  'root ::= "\\"" [^"\\\\\\x7F\\x00-\\x1F]{0,5} "\\""',
  'root ::= "\\"" [^"\\\\\\x7F\\x00-\\x1F]{3,40} "\\""',
  "root ::= .*",
  "root ::= .{2,20} [a-z]*",
  'root ::= [^\\n]+ "\\n" [^a]{0,3}',
  'root ::= "a" [^"]* | .{0,2} "b"',
  'root ::= ("ab" | .{1,2} | "abc" .)* "\\n"',
];

describe("a mask", () => {
  it("has the bits of exactly the tokens that are accepted", () => {
    const random = randomFrom(7);
    const grammars = [
      ...plain,
      ...Array.from({ length: 25 }, (_, seed) => randomGrammar(randomFrom(seed)).source),
    ];
    let looked = 0;
    for (const grammar of grammars) {
      let matcher: GrammarMatcher;
      try {
        matcher = matcherOf(grammar);
      } catch {
        continue;
      }
      for (let step = 0; step < 12; step++) {
        const ids = maskOf(matcher);
        expect([grammar, ids]).toEqual([grammar, allowedBy(matcher)]);
        looked++;
        if (ids.length === 0) break;
        matcher.accept(ids[Math.floor(random() * ids.length)]);
      }
    }
    expect(looked).toBeGreaterThan(150);
  });

  it("is never empty before the end, where every byte is a token", () => {
    for (let seed = 100; seed < 120; seed++) {
      const random = randomFrom(seed);
      let matcher: GrammarMatcher;
      try {
        matcher = matcherOf(randomGrammar(random).source);
      } catch {
        continue;
      }
      for (let step = 0; step < 30 && !matcher.finished; step++) {
        const ids = maskOf(matcher);
        expect(ids.length).toBeGreaterThan(0);
        expect(ids.includes(END)).toBe(matcher.complete);
        matcher.accept(ids[Math.floor(random() * ids.length)]);
      }
    }
  });

  it("allows an end only where the text is complete, and nothing after it", () => {
    const matcher = matcherOf('root ::= "ab"+');
    expect(matcher.accept(END)).toBe(false);
    for (const byte of [97, 98]) matcher.accept(byte);
    expect(maskOf(matcher)).toContain(END);
    expect(matcher.accept(END)).toBe(true);
    expect([maskOf(matcher), matcher.complete, matcher.finished]).toEqual([[], true, true]);
  });
});

describe("token terminals", () => {
  it("are one token, by name or by number, or any but that", () => {
    expect(maskOf(matcherOf('root ::= <control> "a"'))).toEqual([CONTROL]);
    expect(maskOf(matcherOf("root ::= <[5]>"))).toEqual([5]);
    const others = maskOf(matcherOf("root ::= !<control>"));
    expect(others).toEqual(allowedBy(matcherOf("root ::= !<control>")));
    expect([others.length, others.includes(END)]).toEqual([texts.size - 2, false]);
  });

  it("stand beside texts", () => {
    const matcher = matcherOf('root ::= (<[97]> "x") | ("a" "y")');
    expect(maskOf(matcher)).toEqual([97, SAME]);
    const other = matcher.clone();
    matcher.accept(97);
    expect(maskOf(matcher)).toEqual([120, 121]);
    other.accept(SAME);
    expect(maskOf(other)).toEqual([121]);
  });
});

describe("what is forced", () => {
  it("is the longest token of a text that can only be that", () => {
    const matcher = matcherOf('root ::= "abcabcabcd" [0-9]');
    const taken: string[] = [];
    for (let token = matcher.forced(); token >= 0; token = matcher.forced()) {
      expect(maskOf(matcher)).toContain(token);
      taken.push(new TextDecoder().decode(texts.bytes(token)));
      matcher.accept(token);
    }
    expect(taken).toEqual(["abc", "abc", "abc", "d"]);
  });

  it("is nothing where a token may reach further, or the text may end", () => {
    expect(matcherOf('root ::= "a" [bc]').forced()).toBe(-1);
    expect(matcherOf('root ::= "ab"?').forced()).toBe(-1);
    expect(matcherOf('root ::= "ab" [xy]').forced()).toBeGreaterThan(255);
    expect(matcherOf("root ::= <control>").forced()).toBe(CONTROL);
  });

  it("changes no text", () => {
    for (let seed = 0; seed < 25; seed++) {
      let matcher: GrammarMatcher;
      try {
        matcher = matcherOf(randomGrammar(randomFrom(seed)).source);
      } catch {
        continue;
      }
      const random = randomFrom(seed);
      for (let step = 0; step < 20 && !matcher.finished; step++) {
        const token = matcher.forced();
        const ids = maskOf(matcher);
        if (token >= 0 && texts.bytes(token).length > 0) {
          const text = texts.bytes(token);
          // Whatever else may come is a beginning of the same text, or has it as its beginning.
          for (const id of ids) {
            const other = texts.bytes(id);
            for (let i = 0; i < Math.min(text.length, other.length); i++)
              expect(other[i]).toBe(text[i]);
          }
          expect(ids).toContain(token);
        }
        matcher.accept(ids[Math.floor(random() * ids.length)]);
      }
    }
  });
});

describe("a matcher", () => {
  it("takes tokens back, and its copy goes its own way", () => {
    const matcher = matcherOf('root ::= "a" ("b" | "c") "d"');
    matcher.accept(97);
    const other = matcher.clone();
    matcher.accept(98);
    expect([other.allows(99), matcher.allows(99), matcher.allows(100)]).toEqual([
      true,
      false,
      true,
    ]);
    matcher.rollback(0);
    expect([matcher.length, matcher.allows(97), other.length]).toEqual([0, true, 1]);
  });
});
