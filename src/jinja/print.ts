/** Values as text: Python's `str` and `repr`, and JSON as Python's `json.dumps` writes it. */
import type { Budget } from "./budget.ts";
import { Output } from "./output.ts";
import {
  checkNesting,
  isBool,
  isDict,
  isFloat,
  isInt,
  isList,
  isNamespace,
  isNone,
  isString,
  isTuple,
  isUndef,
  type Key,
  type Value,
} from "./values.ts";

/** What a character costs where some are escaped. */
const ESCAPING = 16;

/** `{{ value }}`: strings as they are, nothing for none and undefined, the rest as Python writes it. */
export function printed(value: Value, budget: Budget): string {
  return isNone(value) ? "" : text(value, budget);
}

/** Python's `str(value)`. */
export function text(value: Value, budget: Budget): string {
  if (isString(value)) return value.value;
  if (isUndef(value)) return "";
  const out = new Output(budget);
  writeRepr(value, out, 0);
  return out.text();
}

/** JSON options of Jinja's `tojson`. */
export interface JsonOptions {
  /** Spaces a level; undefined = on one line. */
  readonly indent?: number;
  /** Write everything beyond ASCII as `\u` escapes. */
  readonly ensureAscii?: boolean;
  readonly sortKeys?: boolean;
  /** Between entries, and between key and value. */
  readonly separators?: readonly [string, string];
}

/** Python's `json.dumps(value)`; undefined is written as null. */
export function json(value: Value, budget: Budget, options: JsonOptions = {}): string {
  const out = new Output(budget);
  writeJson(value, out, options, 0);
  return out.text();
}

function writeRepr(value: Value, out: Output, depth: number): void {
  checkNesting(depth);
  if (isString(value)) out.add(quoted(value.value), ESCAPING);
  else if (isBool(value)) out.add(value.value ? "True" : "False");
  else if (isNone(value)) out.add("None");
  else if (isUndef(value)) out.add("Undefined");
  else if (isInt(value)) out.add(integer(value.value));
  else if (isFloat(value)) out.add(real(value.value));
  else if (isList(value)) {
    const [open, close] = isTuple(value) ? "()" : "[]";
    out.add(open);
    value.value.forEach((item, i) => {
      if (i > 0) out.add(", ");
      writeRepr(item, out, depth + 1);
    });
    out.add(isTuple(value) && value.value.length === 1 ? `,${close}` : close);
  } else if (isDict(value) || isNamespace(value)) {
    out.add("{");
    let first = true;
    for (const [key, item] of value.value) {
      if (!first) out.add(", ");
      first = false;
      out.add(`${keyRepr(key)}: `, ESCAPING);
      writeRepr(item, out, depth + 1);
    }
    out.add("}");
  } else out.add(`<${value.type}>`);
}

const keyRepr = (key: Key): string =>
  typeof key === "number"
    ? integer(key)
    : key === null
      ? "None"
      : key[0] === "\0"
        ? key.slice(1)
        : quoted(key);

/** Python's quotes: single, or double where the text has single ones only. */
function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = text.replace(/[\\'"\x00-\x1f\x7f]/g, (c) => {
    if (c === "\\" || c === quote) return `\\${c}`;
    if (c === "'" || c === '"') return c;
    const short = { "\n": "\\n", "\r": "\\r", "\t": "\\t" }[c];
    return short ?? `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
  return quote + escaped + quote;
}

const integer = (value: number): string =>
  typeof value === "bigint" || Number.isInteger(value) ? BigInt(value).toString() : real(value);

/** Python's shortest float: always a point or exponent, exponents from 1e16 and below 1e-4. */
function real(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (Object.is(value, -0)) return "-0.0";
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e16 || size < 1e-4)) {
    const [digits, exponent] = value.toExponential().split("e");
    const sign = exponent.startsWith("-") ? "-" : "+";
    return `${digits}e${sign}${exponent.slice(1).padStart(2, "0")}`;
  }
  return Number.isInteger(value) ? `${value}.0` : String(value);
}

function writeJson(value: Value, out: Output, options: JsonOptions, depth: number): void {
  checkNesting(depth);
  const [comma, colon] = options.separators ?? [options.indent === undefined ? ", " : ",", ": "];
  const breakAt = (level: number): void => {
    if (options.indent !== undefined) out.add(`\n${" ".repeat(options.indent * level)}`);
  };
  if (isString(value)) out.add(jsonString(value.value, options), ESCAPING);
  else if (isNone(value) || isUndef(value)) out.add("null");
  else if (isBool(value)) out.add(String(value.value));
  else if (isInt(value)) out.add(integer(value.value));
  else if (isFloat(value)) out.add(real(value.value));
  else if (isList(value)) {
    out.add("[");
    value.value.forEach((item, i) => {
      if (i > 0) out.add(comma);
      breakAt(depth + 1);
      writeJson(item, out, options, depth + 1);
    });
    if (value.value.length > 0) breakAt(depth);
    out.add("]");
  } else if (isDict(value) || isNamespace(value)) {
    let entries = Array.from(value.value, ([k, v]) => [String(k), v] as const);
    if (options.sortKeys) entries = entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    out.add("{");
    entries.forEach(([key, item], i) => {
      if (i > 0) out.add(comma);
      breakAt(depth + 1);
      out.add(jsonString(key, options) + colon, ESCAPING);
      writeJson(item, out, options, depth + 1);
    });
    if (entries.length > 0) breakAt(depth);
    out.add("}");
  } else throw new Error(`a ${value.type} cannot be written as JSON`);
}

function jsonString(text: string, options: JsonOptions): string {
  const plain = JSON.stringify(text);
  if (!options.ensureAscii) return plain;
  return plain.replace(
    /[\x7f-\uffff]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
