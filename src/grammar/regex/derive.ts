/**
 * What is left of an expression after a byte (Brzozowski's derivative), and whether anything
 * matches it. Both are bounded: an expression that grows too large counts as one that nothing
 * matches. That makes a language smaller, never larger, and what was found alive stays so.
 */
import { type ByteSet, hasByte } from "./bytes.ts";
import type { Regex, RegexBuilder } from "./regex.ts";

/** Expressions to look at, at most, before one is said to match nothing. */
const MOST_SEARCHED = 5000;

/** What may follow a byte of the class where `regex` is to match; `never` where it cannot. */
export function derive(builder: RegexBuilder, regex: Regex, byteClass: number): Regex {
  const next = derivative(builder, regex, byteClass, builder.classBytes[byteClass]);
  return next.size > builder.mostNodes ? builder.never : next;
}

function derivative(builder: RegexBuilder, regex: Regex, of: number, byte: number): Regex {
  return (regex.derivatives[of] ??= compute(builder, regex, of, byte));
}

function compute(builder: RegexBuilder, regex: Regex, of: number, byte: number): Regex {
  switch (regex.kind) {
    case "empty":
    case "never":
      return builder.never;
    case "bytes":
      return hasByte(regex.set!, byte) ? builder.empty : builder.never;
    case "multiple":
      return builder.multipleAfter(regex.multiple!, byte);
    case "or":
    case "and": {
      const parts: Regex[] = [];
      for (const part of regex.parts) {
        const next = derivative(builder, part, of, byte);
        if (next !== builder.never) parts.push(next);
        else if (regex.kind === "and") return next;
      }
      return builder[regex.kind](...parts);
    }
    case "not":
      return builder.not(derivative(builder, regex.parts[0], of, byte));
    case "repeat": {
      const [part] = regex.parts;
      const next = derivative(builder, part, of, byte);
      if (next === builder.never) return next;
      return builder.concat(next, builder.repeat(part, Math.max(0, regex.min - 1), regex.max - 1));
    }
    case "concat": {
      const ways: Regex[] = [];
      for (let at = regex; ; at = at.parts[1]) {
        const pair = at.kind === "concat";
        const head = pair ? at.parts[0] : at;
        const next = derivative(builder, head, of, byte);
        if (next !== builder.never) ways.push(pair ? builder.concat(next, at.parts[1]) : next);
        if (!pair || !head.nullable) break;
      }
      return builder.or(...ways);
    }
  }
}

/** Whether any text matches. */
export function isAlive(builder: RegexBuilder, regex: Regex): boolean {
  return (regex.alive ??= search(builder, regex));
}

/**
 * Looks for an expression that the empty text matches, in breadth and in depth by turns; what leads
 * there is alive too.
 */
function search(builder: RegexBuilder, start: Regex): boolean {
  if (start.nullable) return true;
  const from = new Map<Regex, Regex | undefined>([[start, undefined]]);
  const left = [start];
  for (let first = 0, turn = 0; first < left.length && from.size < MOST_SEARCHED; turn++) {
    const at = turn % 2 === 0 ? left[first++] : left.pop()!;
    for (let of = 0; of < builder.classBytes.length; of++) {
      const next = derive(builder, at, of);
      if (next.alive === false || from.has(next)) continue;
      from.set(next, at);
      if (next.nullable || next.alive) {
        for (let one: Regex | undefined = next; one; one = from.get(one)) one.alive = true;
        return true;
      }
      left.push(next);
    }
  }
  return false;
}

/** The bytes that a match may begin with, or more of them. */
export function firstBytes(regex: Regex): ByteSet {
  return (regex.first ??= findFirst(regex));
}

const ALL: ByteSet = new Uint32Array(8).fill(0xffffffff);
const NONE: ByteSet = new Uint32Array(8);

function findFirst(regex: Regex): ByteSet {
  if (regex.kind === "bytes") return regex.set!;
  if (regex.kind === "not" || regex.kind === "multiple") return ALL;
  if (regex.kind === "repeat") return firstBytes(regex.parts[0]);
  if (regex.kind === "and") return firstBytes(regex.parts[0]);
  const all = NONE.slice();
  const add = (part: Regex): void => firstBytes(part).forEach((word, i) => (all[i] |= word));
  if (regex.kind === "or") regex.parts.forEach(add);
  if (regex.kind === "concat")
    for (let at = regex; ; at = at.parts[1]) {
      const pair = at.kind === "concat";
      add(pair ? at.parts[0] : at);
      if (!pair || !at.parts[0].nullable) break;
    }
  return all;
}
