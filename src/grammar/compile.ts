/** From what a caller says about the form of an answer to what follows the answer token by token. */
import { WebggufError } from "../base/errors.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { parseGbnf } from "./gbnf.ts";
import { type Grammar, GrammarBuilder } from "./grammar.ts";
import { jsonSchemaGrammar } from "./json-schema/grammar.ts";
import { compilePattern } from "./json-schema/pattern.ts";
import { PatternProblem, parsePattern } from "./json-schema/pattern-parser.ts";
import { CompiledGrammar } from "./matcher.ts";
import { type GrammarVocabulary, grammarVocabulary } from "./vocabulary.ts";

/** The form of an answer; one of these. */
export interface GrammarOptions {
  /** llama.cpp's GBNF; texts are derived from its rule `root`. */
  readonly grammar?: string;
  /** A JSON Schema (draft 2020-12) that the answer is a value of. */
  readonly jsonSchema?: object | boolean;
  /** A regular expression (ECMAScript's syntax) that the whole answer matches. */
  readonly regex?: string;
  /** Texts, one of which the answer is. */
  readonly choice?: readonly string[];
  /** `json_object`: any JSON object. @default "text" */
  readonly responseFormat?: "text" | "json_object";
}

/** Grammars of a model that are remembered at most. */
const MOST_GRAMMARS = 16;

interface Known {
  readonly vocabulary: GrammarVocabulary;
  readonly grammars: Map<string, CompiledGrammar>;
}
const known = new WeakMap<Tokenizer, Known>();

/**
 * The grammar that the options ask for. What answers under one grammar have found out about it is
 * shared by all that ask for the same.
 *
 * @throws WebggufError `grammar/invalid` or `grammar/unsupported`
 */
export function compileGrammar(options: GrammarOptions, tokenizer: Tokenizer): CompiledGrammar {
  const model = knownOf(tokenizer);
  const { grammar, jsonSchema, regex, choice, responseFormat } = options;
  const key = JSON.stringify([grammar, jsonSchema, regex, choice, responseFormat]);
  const { grammars } = model;
  const found =
    grammars.get(key) ?? new CompiledGrammar(grammarOf(options, tokenizer), model.vocabulary);
  // The one asked for longest ago goes first.
  grammars.delete(key);
  grammars.set(key, found);
  if (grammars.size > MOST_GRAMMARS) grammars.delete(grammars.keys().next().value!);
  return found;
}

/** A grammar with the tokens of a model. */
export const compiled = (grammar: Grammar, tokenizer: Tokenizer): CompiledGrammar =>
  new CompiledGrammar(grammar, knownOf(tokenizer).vocabulary);

/** The token that a text is, whole. */
export function tokenOf(tokenizer: Tokenizer, text: string): number | undefined {
  const ids = tokenizer.encode(text, { addSpecial: false, parseSpecial: true });
  return ids.length === 1 ? ids[0] : undefined;
}

function knownOf(tokenizer: Tokenizer): Known {
  let model = known.get(tokenizer);
  if (!model) {
    model = { vocabulary: grammarVocabulary(tokenizer), grammars: new Map() };
    known.set(tokenizer, model);
  }
  return model;
}

function grammarOf(options: GrammarOptions, tokenizer: Tokenizer): Grammar {
  const { grammar, jsonSchema, regex, choice } = options;
  if (grammar !== undefined)
    return parseGbnf(grammar, { tokenOf: (text) => tokenOf(tokenizer, text) });
  if (jsonSchema !== undefined) return jsonSchemaGrammar(jsonSchema);
  if (regex !== undefined) return regexGrammar(regex);
  if (choice !== undefined) {
    const builder = new GrammarBuilder();
    return builder.build(builder.lexeme(builder.regex.texts(choice)));
  }
  return jsonSchemaGrammar({ type: "object" });
}

/** UTF-16 units of an expression at most. */
const MOST_PATTERN = 1 << 16;

/** The texts that match an expression as a whole. */
export function regexGrammar(pattern: string): Grammar {
  const builder = new GrammarBuilder();
  const r = builder.regex;
  const strings = {
    plain: r.repeat(r.anyCharacter, 0),
    characters: (ranges: Parameters<typeof r.characters>[0]) => r.characters(ranges),
  };
  if (pattern.length > MOST_PATTERN)
    throw new WebggufError(
      "grammar/invalid",
      `Cannot read a regular expression of ${pattern.length} characters; at most ${MOST_PATTERN} are read`,
    );
  try {
    // As it stands first, so that an unmatched bracket cannot close the one around it.
    parsePattern(pattern);
    return builder.build(builder.lexeme(compilePattern({ r, strings }, `^(?:${pattern})$`)));
  } catch (error) {
    if (!(error instanceof PatternProblem)) throw error;
    const code = error.valid ? "grammar/unsupported" : "grammar/invalid";
    const what = error.valid ? "enforce" : "read";
    throw new WebggufError(
      code,
      `Cannot ${what} the regular expression ${JSON.stringify(pattern.slice(0, 200))}: ${error.message}`,
    );
  }
}
