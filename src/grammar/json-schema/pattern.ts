/**
 * `pattern`: an expression of ECMAScript's that is looked for anywhere in a string. It is compiled
 * from its end to its start, each part with what may follow it, so that `$` and lookaheads are exact
 * wherever they stand. What no automaton can do (backreferences) or what would need the text before
 * (lookbehind, word boundaries) is refused.
 */
import type { Range } from "../regex/bytes.ts";
import type { Regex } from "../regex/regex.ts";
import type { Expressions } from "./expressions.ts";
import { type PatternNode, PatternProblem, parsePattern } from "./pattern-parser.ts";
import { malformed, refuse } from "./refuse.ts";

/** The strings, as JSON writes them, in which the pattern is found. */
export function patternExpression(
  use: Expressions,
  pattern: unknown,
  keyword: string,
  pointer: string,
): Regex {
  if (typeof pattern !== "string") malformed(keyword, pointer, "a pattern is a string");
  try {
    return compilePattern(use, pattern);
  } catch (error) {
    if (!(error instanceof PatternProblem)) throw error;
    const what = `${error.message} in the pattern ${JSON.stringify(pattern)}`;
    return error.valid ? refuse(keyword, pointer, what) : malformed(keyword, pointer, what);
  }
}

/** What a pattern is compiled with: how characters are written, and all strings. */
interface Writing {
  readonly r: Expressions["r"];
  readonly strings: Pick<Expressions["strings"], "plain" | "characters">;
}

/** As {@link patternExpression}; @throws PatternProblem */
export function compilePattern(use: Writing, pattern: string): Regex {
  const { r, strings } = use;
  const node = parsePattern(pattern);
  const compiler = new Compiler(use);
  const here = compiler.compile(node, strings.plain, true);
  if (isAnchored(node)) return here;
  const before = r.repeat(compiler.characters([[0, 0x10ffff]]), 1);
  return r.or(here, r.concat(before, compiler.compile(node, strings.plain, false)));
}

class Compiler {
  readonly #use: Writing;

  constructor(use: Writing) {
    this.#use = use;
  }

  characters(ranges: readonly Range[]): Regex {
    return this.#use.strings.characters(ranges);
  }

  /** The node and then `after`; `start`: nothing stands before it. */
  compile(node: PatternNode, after: Regex, start: boolean): Regex {
    const { r, strings } = this.#use;
    if (after === r.never) return after;
    switch (node.kind) {
      case "characters":
        return r.concat(this.characters(node.ranges), after);
      case "start":
        return start ? after : r.never;
      case "end":
        return after.nullable ? r.empty : r.never;
      case "look": {
        const seen = this.compile(node.part, strings.plain, start);
        if (seen === strings.plain) return node.negative ? r.never : after;
        return r.and(node.negative ? r.not(seen) : seen, after);
      }
      case "choice":
        return r.or(...node.parts.map((part) => this.compile(part, after, start)));
      case "sequence": {
        const { parts } = node;
        const taking = beginning(parts, isEmpty);
        const sure = beginning(parts, mayBeEmpty);
        let rest = after;
        for (let i = parts.length; i-- > 0; ) {
          const still = start && i <= taking;
          if (start && !still && i <= sure && hasStart(parts[i]))
            throw new PatternProblem('"^" after a part that may be empty', true);
          rest = this.compile(parts[i], rest, still);
        }
        return rest;
      }
      case "repeat": {
        const { part, min, max } = node;
        if (!hasAssertion(part))
          return r.concat(r.repeat(this.compile(part, r.empty, false), min, max), after);
        if (max > 8) throw new PatternProblem("an assertion that is repeated", true);
        const times: Regex[] = [];
        for (let count = min; count <= max; count++) {
          let rest = after;
          for (let i = count; i-- > 0; ) rest = this.compile(part, rest, start && i === 0);
          times.push(rest);
        }
        return r.or(...times);
      }
    }
  }
}

/** How many parts it holds of before the first of which it does not. */
function beginning(parts: readonly PatternNode[], is: (node: PatternNode) => boolean): number {
  const end = parts.findIndex((part) => !is(part));
  return end < 0 ? parts.length : end;
}

/** Whether it matches nowhere but at the start. */
const isAnchored = (node: PatternNode): boolean =>
  node.kind === "start" ||
  (node.kind === "sequence" && node.parts.some(isAnchored)) ||
  (node.kind === "choice" && node.parts.every(isAnchored));

/** Whether it never takes a character. */
function isEmpty(node: PatternNode): boolean {
  switch (node.kind) {
    case "characters":
      return false;
    case "choice":
    case "sequence":
      return node.parts.every(isEmpty);
    case "repeat":
      return node.max === 0 || isEmpty(node.part);
    default:
      return true;
  }
}

function mayBeEmpty(node: PatternNode): boolean {
  switch (node.kind) {
    case "characters":
      return false;
    case "choice":
      return node.parts.some(mayBeEmpty);
    case "sequence":
      return node.parts.every(mayBeEmpty);
    case "repeat":
      return node.min === 0 || mayBeEmpty(node.part);
    default:
      return true;
  }
}

const some = (node: PatternNode, is: (node: PatternNode) => boolean): boolean =>
  is(node) ||
  ("parts" in node
    ? node.parts.some((part) => some(part, is))
    : "part" in node && some(node.part, is));

const hasStart = (node: PatternNode): boolean => some(node, ({ kind }) => kind === "start");

const hasAssertion = (node: PatternNode): boolean =>
  some(node, ({ kind }) => kind === "start" || kind === "end" || kind === "look");
