/**
 * Random schemas against ajv: whatever a grammar lets through is valid, and what is valid is let
 * through. Texts are random walks over the grammar's bytes, and such texts changed a little.
 */
import { expect } from "vitest";
import { WebggufError } from "../../../src/base/errors.ts";
import { jsonSchemaGrammar } from "../../../src/grammar/json-schema/grammar.ts";
import { CompiledGrammar } from "../../../src/grammar/matcher.ts";
import { random as randomBelow } from "../../fuzz/mutate.ts";
import { writtenInOrder } from "../../schemas/write.ts";
import { byteVocabulary } from "./byte-tokens.ts";
import { randomSchema } from "./random-schema.ts";
import { validator } from "./validator.ts";
import { walk } from "./walk.ts";

/** The value with something in it changed. */
function changed(value: unknown, below: (count: number) => number): unknown {
  const others = [null, true, 0, 7, -1.5, "", "x", "abc", [], {}, { a: 1 }, ["x"]];
  if (Array.isArray(value) && value.length > 0 && below(3) > 0) {
    const out = [...value];
    if (below(3) === 0) out.splice(below(out.length), 1);
    else if (below(2) === 0) out.push(out[below(out.length)]);
    else {
      const i = below(out.length);
      out[i] = changed(out[i], below);
    }
    return out;
  }
  if (typeof value === "object" && value !== null && below(4) > 0) {
    const entries = Object.entries(value);
    if (entries.length > 0 && below(3) === 0) entries.splice(below(entries.length), 1);
    else if (entries.length > 0 && below(3) > 0) {
      const entry = entries[below(entries.length)];
      entry[1] = changed(entry[1], below);
    } else entries.push([["a", "b", "zz"][below(3)], others[below(others.length)]]);
    return Object.fromEntries(entries);
  }
  if (typeof value === "number" && below(2) === 0) return value + below(3) - 1;
  if (typeof value === "string" && below(2) === 0) return Array.from(value).slice(1).join("");
  return others[below(others.length)];
}

/** ajv 8 passes over `contains` beside `prefixItems` in some lists no longer than the prefix. */
function misreadByAjv(schema: unknown): boolean {
  if (typeof schema !== "object" || schema === null) return false;
  return (
    ["contains", "prefixItems"].every((key) => Object.hasOwn(schema, key)) ||
    Object.values(schema).some(misreadByAjv)
  );
}

/** Compares the grammars of `count` schemas with ajv. */
export function compareWithAjv(first: number, count: number): void {
  let [compiled, values, refused] = [0, 0, 0];
  for (let seed = first; seed < first + count; seed++) {
    const schema = randomSchema(seed);
    if (misreadByAjv(schema)) continue;
    const below = randomBelow(seed + 10_000);
    let grammar: CompiledGrammar;
    try {
      grammar = new CompiledGrammar(jsonSchemaGrammar(schema), byteVocabulary);
    } catch (error) {
      expect(error).toBeInstanceOf(WebggufError);
      refused++;
      continue;
    }
    compiled++;
    const valid = validator(schema);
    for (let i = 0; i < 4; i++) {
      const text = walk(grammar.automaton, below);
      if (text === undefined) continue;
      // What ajv computes with numbers of many digits is not exact.
      if (/\d{12}/.test(text)) continue;
      const value: unknown = JSON.parse(text);
      expect({ schema, text, valid: valid(value) }).toEqual({ schema, text, valid: true });
      values++;
      for (let j = 0; j < 4; j++) {
        const other = changed(value, below);
        if (/\d{12}|\de/.test(JSON.stringify(other))) continue;
        const reachable = writtenInOrder(grammar.matcher(), other, schema) !== undefined;
        expect({ schema, other, reachable }).toEqual({ schema, other, reachable: valid(other) });
      }
    }
  }
  // Most schemas are enforced, or the test says nothing.
  expect(compiled).toBeGreaterThan(4 * refused);
  expect(values).toBeGreaterThan(2 * compiled);
}
