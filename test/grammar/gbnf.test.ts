import { describe, expect, it } from "vitest";
import { Automaton } from "../../src/grammar/automaton.ts";
import { parseGbnf } from "../../src/grammar/gbnf.ts";
import { fixtureJson } from "../fixture.ts";
import { randomGrammar } from "./random-grammar.ts";
import { randomFrom } from "./texts.ts";

interface Case {
  readonly name: string;
  readonly grammar: string;
  readonly root: string;
  readonly strings: readonly { readonly text: string; readonly result: string }[];
}

const encoder = new TextEncoder();

function verdict(automaton: Automaton, text: string): string {
  const state = automaton.stepBytes(automaton.start, encoder.encode(text));
  return !state ? "reject" : state.complete ? "accept" : "incomplete";
}

/** The error that a grammar makes. */
function failure(grammar: string): { code: string; message: string; offset?: number } {
  try {
    parseGbnf(grammar);
  } catch (error) {
    return error as { code: string; message: string };
  }
  throw new Error(`read: ${grammar}`);
}

describe("GBNF", () => {
  it("is read as llama.cpp reads it", async () => {
    const { grammars } = await fixtureJson<{ grammars: Case[] }>(
      "reference/sampling/grammars.json",
    );
    expect(grammars.length).toBe(30);
    for (const { name, grammar, root, strings } of grammars)
      for (const { text, result } of strings) {
        if (result.startsWith("grammar_error"))
          expect(failure(grammar).code).toBe("grammar/invalid");
        else {
          const automaton = new Automaton(parseGbnf(grammar, { root }));
          expect(`${name} ${text} ${verdict(automaton, text)}`).toBe(`${name} ${text} ${result}`);
        }
      }
  });

  it("accepts exactly what has a derivation", () => {
    let [accepted, refused] = [0, 0];
    for (let seed = 0; seed < 60; seed++) {
      const random = randomFrom(seed);
      const { source, accepts } = randomGrammar(random);
      let automaton: Automaton;
      try {
        automaton = new Automaton(parseGbnf(source));
      } catch (error) {
        // Such as begin with what may be empty and then with themselves.
        expect(String(error)).toMatch(/left recursive/);
        continue;
      }
      const queue = [""];
      for (let tried = 0; queue.length > 0 && tried < 60; tried++) {
        const text = queue.splice(Math.floor(random() * queue.length), 1)[0];
        const found = verdict(automaton, text);
        expect([source, text, found === "accept"]).toEqual([source, text, accepts(text)]);
        if (found === "accept") accepted++;
        else refused++;
        if (found !== "reject")
          queue.push(...["a", "b", "c", "é", "東", "d"].map((next) => text + next));
      }
    }
    expect(accepted).toBeGreaterThan(300);
    expect(refused).toBeGreaterThan(300);
  });

  it("says where it is wrong", () => {
    const wrong: [grammar: string, message: RegExp, offset: number][] = [
      ['root ::= "a" $', /column 14: "\$" cannot stand here/, 13],
      ['root ::= "a"\nroot2 = "b"', /line 2, column 7: "::=" is missing/, 19],
      ["root ::= [a", /column 10: this class of characters has no end/, 9],
      ['root ::= "\\q"', /column 11: there is no escape "\\\\q"/, 10],
      ['root ::= "\\ud800"', /is no character/, 10],
      ['root ::= ("a"', /column 14: "\)" is missing/, 13],
      ['root ::= "a"{x}', /column 14: a number is missing/, 13],
      ['root ::= "a"{2', /column 15: "}" or "," is missing/, 14],
      ["root ::= <think>", /column 10: "<think>" cannot be looked up without a vocabulary/, 9],
      ['root ::= !"a"', /column 11: "<" is missing/, 10],
    ];
    for (const [grammar, message, offset] of wrong) {
      const error = failure(grammar);
      expect(error.message).toMatch(message);
      expect([error.code, error.offset]).toEqual(["grammar/invalid", offset]);
    }
  });

  it("is refused where no text fits, or a rule is left recursive behind what may be empty", () => {
    expect(failure('root ::= "a" root').message).toMatch(/no text at all fits/);
    expect(failure('root ::= "x"? root "a" | "b"').message).toMatch(/"root" is left recursive/);
    expect(failure('root ::= a "b"\na ::= root | "c"').message).toMatch(/left recursive/);
    expect(failure('root ::= "b"\na ::= a "c" | "c"').message).toMatch(/"a" is left recursive/);
  });
});
