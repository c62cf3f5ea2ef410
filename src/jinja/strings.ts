/** Python's string methods, as far as chat templates use them. Positions count code points. */
import { intArgument, requiredArgument, stringArgument } from "./arguments.ts";
import type { Budget } from "./budget.ts";
import { text } from "./print.ts";
import { bool, type Call, int, isList, isString, list, str, tuple, type Value } from "./values.ts";

// What Python's str.strip and str.split take for space (JavaScript's trim differs: U+FEFF, U+001C …).
const SPACE = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;
const isSpace = (unit: string): boolean => SPACE.test(unit);

/** Python's strip, at one end or both; `chars` are the characters to take off instead of space. */
export function strip(value: string, left: boolean, right: boolean, chars?: string): string {
  const off = chars === undefined ? isSpace : (unit: string): boolean => chars.includes(unit);
  let [start, end] = [0, value.length];
  while (left && start < end && off(value[start])) start++;
  while (right && end > start && off(value[end - 1])) end--;
  return value.slice(start, end);
}

/** Python's replace; `count` < 0 = all. */
export function replace(
  value: string,
  from: string,
  to: string,
  count: number,
  budget: Budget,
): string {
  budget.search(value, from);
  const pieces = from === "" ? ["", ...value, ""] : value.split(from);
  budget.entries(pieces.length);
  const last = count < 0 ? pieces.length - 1 : Math.min(count, pieces.length - 1);
  budget.text(value.length + last * Math.max(0, to.length - from.length));
  let out = pieces[0];
  for (let i = 1; i < pieces.length; i++) out += (i <= last ? to : from) + pieces[i];
  return out;
}

/** Splits at runs of space, or at `separator`; at most `most` cuts (< 0 = all). */
function split(value: string, separator: string | undefined, most: number, budget: Budget): Value {
  let parts: string[];
  if (separator === undefined) {
    parts = [];
    let rest = strip(value, true, false);
    while (rest !== "" && (most < 0 || parts.length < most)) {
      budget.entries(1);
      const gap = rest.search(SPACE);
      parts.push(gap < 0 ? rest : rest.slice(0, gap));
      rest = gap < 0 ? "" : strip(rest.slice(gap), true, false);
    }
    if (rest !== "") parts.push(rest);
  } else {
    if (separator === "") throw new Error("the separator is empty");
    budget.search(value, separator);
    parts = value.split(separator);
    if (most >= 0 && parts.length > most + 1)
      parts = [...parts.slice(0, most), parts.slice(most).join(separator)];
  }
  budget.entries(parts.length);
  return list(parts.map(str));
}

function splitFromRight(value: string, separator: string, most: number, budget: Budget): Value {
  if (separator === "") throw new Error("the separator is empty");
  budget.search(value, separator);
  let parts = value.split(separator);
  if (most >= 0 && parts.length > most + 1) {
    const cut = parts.length - most;
    parts = [parts.slice(0, cut).join(separator), ...parts.slice(cut)];
  }
  budget.entries(parts.length);
  return list(parts.map(str));
}

/** True if `value` begins (or ends) with the argument, or with one of a tuple. */
function affix(call: Call, test: (affix: string) => boolean): Value {
  const wanted = call.args[0];
  const all = wanted !== undefined && isList(wanted) ? wanted.value : [wanted];
  return bool(
    all.some((one) => {
      if (one === undefined || !isString(one)) throw new Error("the argument must be a string");
      return test(one.value);
    }),
  );
}

export const capitalize = (value: string): string =>
  value.charAt(0).toUpperCase() + value.slice(1).toLowerCase();

/** Python's title: each run of letters begins upper case, and goes on in lower case. */
export const title = (value: string): string =>
  value.replace(/\p{L}+/gu, (word) => capitalize(word));

/** `{}`, `{0}` and `{name}` filled in; `{{` and `}}` are braces. Format specifications are refused. */
function format(value: string, call: Call): string {
  let next = 0;
  let length = value.length;
  return value.replace(/\{\{|\}\}|\{([^{}]*)\}/g, (match, field: string | undefined) => {
    if (field === undefined) return match[0];
    const found = /^\d*$/.test(field)
      ? call.args[field === "" ? next++ : Number(field)]
      : call.named.get(field);
    if (found === undefined) throw new Error(`nothing to format "{${field}}" with`);
    const filled = text(found, call.budget);
    length += filled.length;
    call.budget.text(length);
    return filled;
  });
}

/** The string's items as `join` sees them. */
export function join(items: readonly Value[], separator: string, budget: Budget): string {
  const parts = items.map((item) => text(item, budget));
  budget.text(
    parts.reduce((sum, part) => sum + part.length, 0) +
      separator.length * Math.max(0, parts.length - 1),
  );
  return parts.join(separator);
}

/** Python's find and rfind in code points; -1 = not there. */
function find(value: string, wanted: string, budget: Budget, last = false): number {
  budget.search(value, wanted);
  const at = last ? value.lastIndexOf(wanted) : value.indexOf(wanted);
  return at < 0 ? -1 : codePoints(value.slice(0, at));
}

const SURROGATE = /[\ud800-\udfff]/;

/** Length in code points, which is what Python counts. */
export function codePoints(value: string): number {
  if (!SURROGATE.test(value)) return value.length;
  let count = 0;
  for (let i = 0; i < value.length; i++) {
    const unit = value.charCodeAt(i);
    const pair = unit >= 0xd800 && unit < 0xdc00 && (value.charCodeAt(i + 1) & 0xfc00) === 0xdc00;
    if (pair) i++;
    count++;
  }
  return count;
}

/** The string as something that can be indexed by code point. */
export const characters = (value: string, budget: Budget): string | string[] => {
  if (!SURROGATE.test(value)) return value;
  budget.entries(value.length / 8);
  return Array.from(value);
};

type Method = (value: string, call: Call) => Value;

const METHODS: ReadonlyMap<string, Method> = new Map<string, Method>([
  ["upper", (s) => str(s.toUpperCase())],
  ["lower", (s) => str(s.toLowerCase())],
  ["title", (s) => str(title(s))],
  ["capitalize", (s) => str(capitalize(s))],
  ["strip", (s, call) => str(strip(s, true, true, stringArgument(call, 0, "chars")))],
  ["lstrip", (s, call) => str(strip(s, true, false, stringArgument(call, 0, "chars")))],
  ["rstrip", (s, call) => str(strip(s, false, true, stringArgument(call, 0, "chars")))],
  ["startswith", (s, call) => affix(call, (part) => s.startsWith(part))],
  ["endswith", (s, call) => affix(call, (part) => s.endsWith(part))],
  [
    "split",
    (s, call) =>
      split(s, stringArgument(call, 0, "sep"), intArgument(call, 1, "maxsplit") ?? -1, call.budget),
  ],
  [
    "rsplit",
    (s, call) =>
      splitFromRight(
        s,
        requiredArgument(call, 0, "sep"),
        intArgument(call, 1, "maxsplit") ?? -1,
        call.budget,
      ),
  ],
  [
    "splitlines",
    (s, call) => {
      const lines = s.split(/\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/);
      if (lines.at(-1) === "") lines.pop();
      call.budget.entries(lines.length);
      return list(lines.map(str));
    },
  ],
  [
    "partition",
    (s, call) => {
      const separator = requiredArgument(call, 0, "sep");
      call.budget.search(s, separator);
      const at = s.indexOf(separator);
      const parts =
        at < 0 ? [s, "", ""] : [s.slice(0, at), separator, s.slice(at + separator.length)];
      return tuple(parts.map(str));
    },
  ],
  [
    "replace",
    (s, call) =>
      str(
        replace(
          s,
          requiredArgument(call, 0, "old"),
          requiredArgument(call, 1, "new"),
          intArgument(call, 2, "count") ?? -1,
          call.budget,
        ),
      ),
  ],
  [
    "removeprefix",
    (s, call) => {
      const part = requiredArgument(call, 0, "prefix");
      return str(s.startsWith(part) ? s.slice(part.length) : s);
    },
  ],
  [
    "removesuffix",
    (s, call) => {
      const part = requiredArgument(call, 0, "suffix");
      return str(part !== "" && s.endsWith(part) ? s.slice(0, -part.length) : s);
    },
  ],
  [
    "join",
    (s, call) => {
      const items = call.args[0];
      if (items === undefined || !isList(items)) throw new Error("join needs a list");
      return str(join(items.value, s, call.budget));
    },
  ],
  ["format", (s, call) => str(format(s, call))],
  ["find", (s, call) => int(find(s, requiredArgument(call, 0, "sub"), call.budget))],
  ["rfind", (s, call) => int(find(s, requiredArgument(call, 0, "sub"), call.budget, true))],
  [
    "count",
    (s, call) => {
      const part = requiredArgument(call, 0, "sub");
      call.budget.search(s, part);
      return int(part === "" ? codePoints(s) + 1 : s.split(part).length - 1);
    },
  ],
  ["isdigit", (s) => bool(/^\p{Nd}+$/u.test(s))],
  ["isalpha", (s) => bool(/^\p{L}+$/u.test(s))],
  ["isalnum", (s) => bool(/^[\p{L}\p{N}]+$/u.test(s))],
  ["isspace", (s) => bool(s !== "" && strip(s, true, false) === "")],
  ["isupper", (s) => bool(s === s.toUpperCase() && s !== s.toLowerCase())],
  ["islower", (s) => bool(s === s.toLowerCase() && s !== s.toUpperCase())],
]);

/** The method of strings called `name`, if there is one. */
export const stringMethod = (name: string): Method | undefined => METHODS.get(name);
