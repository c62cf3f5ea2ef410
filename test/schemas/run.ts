/**
 * Schemas and their instances through the token masks: a valid instance must be reachable, token by
 * token, and an invalid one refused at some token or at its end. The layout is MaskBench's.
 */
import { WebggufError } from "../../src/base/errors.ts";
import {
  type JsonSchemaOptions,
  jsonSchemaGrammar,
} from "../../src/grammar/json-schema/grammar.ts";
import { CompiledGrammar } from "../../src/grammar/matcher.ts";
import type { GrammarVocabulary } from "../../src/grammar/vocabulary.ts";
import type { Tokenizer } from "../../src/tokenizer/tokenizer.ts";

type Encoder = Pick<Tokenizer, "encode">;

import { written, writtenInOrder } from "./write.ts";

export interface SchemaCase {
  readonly group?: string;
  readonly name: string;
  readonly schema: unknown;
  readonly tests: readonly { readonly valid: boolean; readonly data: unknown }[];
}

export type CaseResult =
  | { readonly kind: "refused"; readonly error: WebggufError }
  | { readonly kind: "exception"; readonly error: unknown }
  | {
      readonly kind: "compiled";
      readonly compileMs: number;
      /** Instances that were judged wrong. */
      readonly validRefused: readonly string[];
      readonly invalidAccepted: readonly string[];
      /** Valid instances that are reachable in another order of their properties only. */
      readonly reordered: number;
    };

/** Whether the masks let the text through and end there; notes how long each mask took, in µs. */
function reaches(
  grammar: CompiledGrammar,
  tokenizer: Encoder,
  text: string,
  maskUs: number[],
): boolean {
  const matcher = grammar.matcher();
  const mask = new Uint32Array(grammar.vocabulary.words);
  const allowed = (id: number): boolean => ((mask[id >> 5] >>> (id & 31)) & 1) === 1;
  const next = (): void => {
    const start = performance.now();
    matcher.mask(mask);
    maskUs.push(1000 * (performance.now() - start));
  };
  for (const id of tokenizer.encode(text, { addSpecial: false })) {
    // A tokenizer may set a space before a text; the grammar is asked of the text.
    next();
    if (!allowed(id)) return false;
    if (!matcher.accept(id)) throw new Error(`The mask allows token ${id}, the matcher does not`);
  }
  next();
  const ends = [...grammar.vocabulary.endTokens].some(allowed);
  if (ends !== matcher.complete) throw new Error("The mask and the matcher differ about the end");
  return ends;
}

export function runCase(
  one: SchemaCase,
  tokenizer: Encoder,
  vocabulary: GrammarVocabulary,
  maskUs: number[],
  options?: JsonSchemaOptions,
): CaseResult {
  try {
    const start = performance.now();
    let grammar: CompiledGrammar;
    try {
      grammar = new CompiledGrammar(jsonSchemaGrammar(one.schema, options), vocabulary);
    } catch (error) {
      if (error instanceof WebggufError) return { kind: "refused", error };
      throw error;
    }
    const compileMs = performance.now() - start;
    const validRefused: string[] = [];
    const invalidAccepted: string[] = [];
    let reordered = 0;
    for (const { valid, data } of one.tests) {
      let text = written(data);
      let accepted = reaches(grammar, tokenizer, text, maskUs);
      if (!accepted) {
        const other = writtenInOrder(grammar.matcher(), data, one.schema);
        if (other !== undefined && other !== text) {
          text = other;
          accepted = reaches(grammar, tokenizer, text, maskUs);
          if (accepted) reordered++;
        }
      }
      if (valid && !accepted) validRefused.push(text);
      if (!valid && accepted) invalidAccepted.push(text);
    }
    return { kind: "compiled", compileMs, validRefused, invalidAccepted, reordered };
  } catch (error) {
    return { kind: "exception", error };
  }
}

export interface SchemaSummary {
  cases: number;
  passing: number;
  refusedAtCompile: number;
  /** Cases with a valid instance that cannot be reached. */
  validRefused: number;
  /** Cases with an invalid instance that can. */
  invalidAccepted: number;
  exceptions: number;
  /** Valid instances that are reachable in another order of their properties only. */
  reordered: number;
  compileP50Ms: number;
  compileP95Ms: number;
  maskP50Us: number;
  maskP99Us: number;
}

export function summary(results: readonly CaseResult[], maskUs: readonly number[]): SchemaSummary {
  const compiled = results.filter((one) => one.kind === "compiled");
  const compileMs = compiled.map((one) => one.compileMs);
  return {
    cases: results.length,
    passing: compiled.filter((one) => one.validRefused.length + one.invalidAccepted.length === 0)
      .length,
    refusedAtCompile: results.filter((one) => one.kind === "refused").length,
    validRefused: compiled.filter((one) => one.validRefused.length > 0).length,
    invalidAccepted: compiled.filter((one) => one.invalidAccepted.length > 0).length,
    exceptions: results.filter((one) => one.kind === "exception").length,
    reordered: compiled.reduce((sum, one) => sum + one.reordered, 0),
    compileP50Ms: percentile(compileMs, 0.5),
    compileP95Ms: percentile(compileMs, 0.95),
    maskP50Us: percentile(maskUs, 0.5),
    maskP99Us: percentile(maskUs, 0.99),
  };
}

function percentile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  const value = sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return Math.round(1000 * value) / 1000;
}
