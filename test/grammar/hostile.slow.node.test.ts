/** Hostile grammars and expressions: read or refused at once, and never a problem once they are read. */
import process from "node:process";
import { describe, expect, it } from "vitest";
import { WebggufError } from "../../src/base/errors.ts";
import { regexGrammar } from "../../src/grammar/compile.ts";
import { parseGbnf } from "../../src/grammar/gbnf.ts";
import type { Grammar } from "../../src/grammar/grammar.ts";
import { CompiledGrammar } from "../../src/grammar/matcher.ts";
import { hostileGbnf, hostileRegex } from "./hostile.ts";
import { byteVocabulary } from "./json-schema/byte-tokens.ts";
import { randomFrom } from "./texts.ts";

/** Milliseconds of the processor that reading may take: 50, and as long again where others use its caches. */
const MOST_MS = 100;
const TRIES = 6;
/** Tokens of the beginning of an answer. */
const TOKENS = 24;

function read(text: string, reader: (text: string) => Grammar): Grammar | undefined {
  let fastest = Number.POSITIVE_INFINITY;
  let grammar: Grammar | undefined;
  for (let tries = 0; tries < TRIES && fastest > MOST_MS; tries++) {
    const start = process.cpuUsage();
    try {
      grammar = reader(text);
    } catch (error) {
      if (!(error instanceof WebggufError)) throw error;
      expect(error.code).toMatch(/^grammar\/(invalid|unsupported)$/);
    }
    const { user, system } = process.cpuUsage(start);
    fastest = Math.min(fastest, (user + system) / 1000);
  }
  expect(`${text.slice(0, 80)}: ${fastest <= MOST_MS}`).toBe(`${text.slice(0, 80)}: true`);
  return grammar;
}

/** Whether an answer under the grammar, of random tokens that may come, goes on or ends as it may. */
function begins(grammar: Grammar, random: () => number): void {
  const matcher = new CompiledGrammar(grammar, byteVocabulary).matcher();
  const mask = new Uint32Array(byteVocabulary.words);
  for (let length = 0; length < TOKENS && !matcher.finished; length++) {
    const count = matcher.mask(mask);
    // Only where what is bounded was left out may nothing come.
    if (count === 0) return;
    const ids: number[] = [];
    for (let id = 0; id < byteVocabulary.size; id++)
      if ((mask[id >> 5] >>> (id & 31)) & 1) ids.push(id);
    expect(ids.length).toBe(count);
    expect(matcher.accept(ids[Math.floor(random() * ids.length)])).toBe(true);
  }
}

describe.each([
  ["GBNF", 10_000, hostileGbnf, (text: string) => parseGbnf(text, { tokenOf: (t) => t.length })],
  ["expressions", 2000, hostileRegex, regexGrammar],
] as const)("hostile %s", (_, count, hostile, reader) => {
  it("is read or refused within 50 ms, and throws nothing while it is followed", () => {
    let [good, bad] = [0, 0];
    for (let nth = 0; nth < count; nth++) {
      const random = randomFrom(nth + 1);
      const grammar = read(hostile(random, nth), reader);
      if (grammar) begins(grammar, random);
      if (grammar) good++;
      else bad++;
    }
    // Both happen often.
    expect(good).toBeGreaterThan(count / 10);
    expect(bad).toBeGreaterThan(count / 10);
  });
});
