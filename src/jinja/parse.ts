/** Template text to syntax tree, within bounds that keep the recursive parser off the end of the stack. */
import { type Node, type Program, parse, type Token, tokenize } from "./package.ts";

/** Longest template, in characters; the longest known ones have under 60,000. */
const MAX_SOURCE = 1 << 18;
/** Longest run of white space: the tokenizer's time grows with its square. */
const MAX_SPACE = 1 << 10;
/** Brackets and blocks inside each other. */
const MAX_NESTING = 100;
/** Signs, `not`, `else` or calls in one expression: each is a level of the parser too. */
const MAX_PREFIXES = 200;
/** `elif` branches in all: the parser nests them. */
const MAX_ELIFS = 1000;

const BLOCKS: ReadonlySet<string> = new Set(["if", "for", "macro", "call", "filter"]);

/** Node that prints the value of an expression; see {@link markPrints}. */
export interface Print extends Node {
  expression: Node;
}

/** The tree of a template. Errors are plain: the caller names the file. */
export function parseTemplate(source: string): Program {
  if (source.length > MAX_SOURCE)
    throw new Error(`it has ${source.length} characters, more than ${MAX_SOURCE}`);
  for (const { 0: space } of source.matchAll(/\s+/g))
    if (space.length > MAX_SPACE)
      throw new Error(`it has ${space.length} characters of white space in a row`);
  const tokens = testsWithArguments(tokenize(source));
  checkNesting(tokens);
  const program = parse(tokens);
  program.body = markPrints(program.body, Object.getPrototypeOf(program));
  return program;
}

function checkNesting(tokens: readonly Token[]): void {
  let [brackets, blocks, prefixes, elifs] = [0, 0, 0, 0];
  tokens.forEach(({ type, value }, i) => {
    switch (type) {
      case "OpenStatement": {
        const name = tokens[i + 1]?.value ?? "";
        if (BLOCKS.has(name)) blocks++;
        else if (name === "elif") elifs++;
        else if (BLOCKS.has(name.replace(/^end/, ""))) blocks--;
        prefixes = 0;
        break;
      }
      case "OpenExpression":
        prefixes = 0;
        break;
      case "OpenParen":
        brackets++;
        if (tokens[i - 1]?.type === "CloseParen") prefixes++;
        break;
      case "OpenSquareBracket":
      case "OpenCurlyBracket":
        brackets++;
        break;
      case "CloseParen":
      case "CloseSquareBracket":
      case "CloseCurlyBracket":
        brackets--;
        break;
      case "UnaryOperator":
      case "AdditiveBinaryOperator":
        prefixes++;
        break;
      case "Identifier":
        if (value === "not" || value === "else") prefixes++;
    }
    if (brackets + blocks > MAX_NESTING || prefixes > MAX_PREFIXES || elifs > MAX_ELIFS)
      throw new Error("it nests too deeply");
  });
}

/**
 * The package's parser knows no arguments of tests: `a is [not] NAME(b)` is given to it as a filter,
 * `a | is("NAME", b)`, which binds as tightly.
 */
function testsWithArguments(tokens: readonly Token[]): Token[] {
  const out: Token[] = [];
  for (let i = 0; i < tokens.length; i++) {
    const negated = tokens[i + 1]?.value === "not" ? 1 : 0;
    const [name, open] = [tokens[i + 1 + negated], tokens[i + 2 + negated]];
    const isTest = tokens[i].type === "Identifier" && tokens[i].value === "is";
    if (!isTest || name?.type !== "Identifier" || open?.type !== "OpenParen") {
      out.push(tokens[i]);
      continue;
    }
    out.push(
      { type: "Pipe", value: "|" },
      { type: "Identifier", value: negated ? "is not" : "is" },
      open,
      { type: "StringLiteral", value: name.value },
      { type: "Comma", value: "," },
    );
    i += 2 + negated;
  }
  return out;
}

/** Statements, which print themselves or nothing, and text. */
const SILENT: ReadonlySet<string> = new Set([
  "Set",
  "If",
  "For",
  "Macro",
  "CallStatement",
  "FilterStatement",
  "Break",
  "Continue",
  "Comment",
  "StringLiteral",
]);

/**
 * Wraps each `{{ expression }}` of a block in a node of type "Print". The package writes values with
 * their `toString`, as JSON; a node of its own lets the interpreter write them as Python does.
 */
function markPrints(body: Node[], prototype: object): Node[] {
  return body.map((node) => {
    if (!SILENT.has(node.type)) {
      const print = Object.create(prototype) as Print;
      print.type = "Print";
      print.expression = node;
      return print;
    }
    const inner = node as Node & Partial<Record<"body" | "alternate" | "defaultBlock", Node[]>>;
    for (const block of ["body", "alternate", "defaultBlock"] as const) {
      const statements = inner[block];
      if (statements !== undefined) inner[block] = markPrints(statements, prototype);
    }
    return node;
  });
}
