/**
 * What is used of `@huggingface/jinja`, with types: the package's own declarations import each other
 * without file endings, which strict ESM resolution does not follow, so that they count as `any`.
 */
import * as jinja from "@huggingface/jinja";

/** Any value of a running template. `value` holds its content, `type` the name of its class. */
export interface Value {
  readonly type: string;
  readonly value: unknown;
  __bool__(): { readonly value: boolean };
}

/** The variables of a block, with those around it. */
export interface Scope {
  readonly parent?: Scope;
  readonly variables: Map<string, Value>;
  /** Converts plain data. */
  set(name: string, value: unknown): Value;
  setVariable(name: string, value: Value): Value;
}

/** A node of the syntax tree. */
export interface Node {
  type: string;
}
export interface Program extends Node {
  body: Node[];
}
export interface Token {
  readonly type: string;
  readonly value: string;
}

export interface Runner {
  run(program: Program): Value;
  evaluate(node: Node | undefined, scope: Scope): Value;
}

interface Package {
  readonly Environment: new (parent?: Scope) => Scope;
  readonly Interpreter: new (globals: Scope) => Runner;
  tokenize(source: string, options: { lstrip_blocks: boolean; trim_blocks: boolean }): Token[];
  parse(tokens: readonly Token[]): Program;
}

const typed = jinja as unknown as Package;
export const Environment: Package["Environment"] = typed.Environment;
export const Interpreter: Package["Interpreter"] = typed.Interpreter;

/** The tree of a template, or its plain error. */
export const parse = (tokens: readonly Token[]): Program => typed.parse(tokens);

/** The tokens of a template, with white space handled as chat templates expect. */
export const tokenize = (source: string): Token[] =>
  typed.tokenize(source, { lstrip_blocks: true, trim_blocks: true });
