/** Python's string methods, as far as chat templates use them. Positions count code points. */
import { intArgument, requiredArgument, stringArgument } from "./arguments.ts";
import type { Budget } from "./budget.ts";
import { text } from "./print.ts";
import { bool, type Call, int, isList, isString, list, str, tuple, type Value } from "./values.ts";

// What Python's str.strip and str.split take for space (JavaScript's trim differs: U+FEFF, U+001C …).
const SPACE = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;
const isSpace = (unit: string): boolean => unit === " " || SPACE.test(unit);

/** Python's strip, at one end or both; `chars` are the characters to take off instead of space. */
export function strip(
  value: string,
  budget: Budget,
  left: boolean,
  right: boolean,
  chars?: string,
): string {
  budget.entries(chars?.length ?? 0);
  const set = chars === undefined ? undefined : new Set(chars.split(""));
  const off = set ? (unit: string): boolean => set.has(unit) : isSpace;
  let [start, end] = [0, value.length];
  while (left && start < end && off(value[start])) start++;
  while (right && end > start && off(value[end - 1])) end--;
  budget.entries((start + value.length - end) / 2);
  return value.slice(start, end);
}

/** What stands between the places of a separator; each is paid for before it is made. */
function parts(value: string, separator: string, budget: Budget): string[] {
  if (separator === "") throw new Error("the separator is empty");
  budget.search(value, separator);
  const out: string[] = [];
  let from = 0;
  for (let at = value.indexOf(separator); at >= 0; at = value.indexOf(separator, from)) {
    budget.entries(2);
    out.push(value.slice(from, at));
    from = at + separator.length;
  }
  out.push(value.slice(from));
  return out;
}

/** Python's replace; `count` < 0 = all. */
export function replace(
  value: string,
  from: string,
  to: string,
  count: number,
  budget: Budget,
): string {
  if (from === "") budget.entries(value.length);
  const pieces = from === "" ? ["", ...value, ""] : parts(value, from, budget);
  const last = count < 0 ? pieces.length - 1 : Math.min(count, pieces.length - 1);
  budget.text(value.length + last * Math.max(0, to.length - from.length));
  let out = pieces[0];
  for (let i = 1; i < pieces.length; i++) out += (i <= last ? to : from) + pieces[i];
  return out;
}

/** Splits at runs of space, or at `separator`; at most `most` cuts (< 0 = all). */
function split(value: string, separator: string | undefined, most: number, budget: Budget): Value {
  let words: string[];
  if (separator === undefined) {
    words = [];
    let rest = strip(value, budget, true, false);
    while (rest !== "" && (most < 0 || words.length < most)) {
      budget.entries(1);
      const gap = rest.search(SPACE);
      words.push(gap < 0 ? rest : rest.slice(0, gap));
      rest = gap < 0 ? "" : strip(rest.slice(gap), budget, true, false);
    }
    if (rest !== "") words.push(rest);
  } else {
    words = parts(value, separator, budget);
    if (most >= 0 && words.length > most + 1)
      words = [...words.slice(0, most), words.slice(most).join(separator)];
  }
  return list(words.map(str));
}

function splitFromRight(value: string, separator: string, most: number, budget: Budget): Value {
  let words = parts(value, separator, budget);
  if (most >= 0 && words.length > most + 1) {
    const cut = words.length - most;
    words = [words.slice(0, cut).join(separator), ...words.slice(cut)];
  }
  return list(words.map(str));
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
export function title(value: string, budget: Budget): string {
  budget.entries(value.length);
  return value.replace(/\p{L}+/gu, (word) => capitalize(word));
}

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
    call.budget.entries(1);
    const filled = text(found, call.budget);
    length += filled.length;
    call.budget.text(length);
    return filled;
  });
}

/** The string's items as `join` sees them. */
export function join(items: readonly Value[], separator: string, budget: Budget): string {
  budget.entries(items.length);
  const texts = items.map((item) => text(item, budget));
  budget.text(
    texts.reduce((sum, part) => sum + part.length, 0) +
      separator.length * Math.max(0, texts.length - 1),
  );
  return texts.join(separator);
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
  budget.entries(value.length / 2);
  return Array.from(value);
};

type Method = (value: string, call: Call) => Value;

const stripped =
  (left: boolean, right: boolean): Method =>
  (s, call) =>
    str(strip(s, call.budget, left, right, stringArgument(call, 0, "chars")));

const METHODS: ReadonlyMap<string, Method> = new Map<string, Method>([
  ["upper", (s) => str(s.toUpperCase())],
  ["lower", (s) => str(s.toLowerCase())],
  ["title", (s, call) => str(title(s, call.budget))],
  ["capitalize", (s) => str(capitalize(s))],
  ["strip", stripped(true, true)],
  ["lstrip", stripped(true, false)],
  ["rstrip", stripped(false, true)],
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
      call.budget.entries(s.length / 8);
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
      const three =
        at < 0 ? [s, "", ""] : [s.slice(0, at), separator, s.slice(at + separator.length)];
      return tuple(three.map(str));
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
      return int(part === "" ? codePoints(s) + 1 : parts(s, part, call.budget).length - 1);
    },
  ],
  ["isdigit", (s) => bool(/^\p{Nd}+$/u.test(s))],
  ["isalpha", (s) => bool(/^\p{L}+$/u.test(s))],
  ["isalnum", (s) => bool(/^[\p{L}\p{N}]+$/u.test(s))],
  ["isspace", (s, call) => bool(s !== "" && strip(s, call.budget, true, false) === "")],
  ["isupper", (s) => bool(s === s.toUpperCase() && s !== s.toLowerCase())],
  ["islower", (s) => bool(s === s.toLowerCase() && s !== s.toUpperCase())],
]);

/** The method of strings called `name`, if there is one. */
export const stringMethod = (name: string): Method | undefined => METHODS.get(name);
