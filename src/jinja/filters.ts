/**
 * Jinja's filters. Undefined operands are as lenient as in llama.cpp: nothing to write, nothing to
 * loop over.
 */
import { argument, intArgument, stringArgument } from "./arguments.ts";
import {
  attributeAt,
  choose,
  dictsort,
  entries,
  extreme,
  type Filter,
  flag,
  onList,
  sorted,
  sortKey,
} from "./lists.ts";
import { items } from "./methods.ts";
import { json, text } from "./print.ts";
import { capitalize, codePoints, join, replace, strip, title } from "./strings.ts";
import {
  bool,
  type Call,
  equal,
  float,
  int,
  isBool,
  isDict,
  isList,
  isNone,
  isNumber,
  isString,
  isUndef,
  iterate,
  list,
  number,
  str,
  truthy,
  UNDEFINED,
  type Value,
} from "./values.ts";

/** Widest indentation, in spaces. */
const MAX_INDENT = 64;

/** A filter that works on the value's text. */
const onText =
  (change: (value: string, call: Call) => string): Filter =>
  (value, call) => {
    return str(change(text(value, call.budget), call));
  };

const map: Filter = (value, call) => {
  const path = call.named.get("attribute");
  if (path !== undefined) {
    const fallback = call.named.get("default");
    return onList((values) =>
      values.map((item) => {
        const found = attributeAt(item, path, call);
        return isUndef(found) ? (fallback ?? found) : found;
      }),
    )(value, call);
  }
  const [name, ...args] = call.args;
  if (name === undefined || !isString(name)) throw new Error("map needs attribute= or a filter");
  const inner: Call = { args, named: call.named, budget: call.budget };
  return onList((values) => values.map((item) => applyFilter(name.value, item, inner)))(
    value,
    call,
  );
};

function length(value: Value): number {
  if (isString(value)) return codePoints(value.value);
  if (isList(value)) return value.value.length;
  if (isDict(value)) return value.value.size;
  if (isUndef(value)) return 0;
  throw new Error(`${value.type} has no length`);
}

const toInt: Filter = (value, call) => {
  const fallback = argument(call, 0, "default") ?? int(0);
  if (isBool(value) || isNumber(value)) {
    const whole = Math.trunc(Number(value.value));
    return Number.isFinite(whole) ? int(whole) : fallback;
  }
  const written = isString(value) ? strip(value.value, call.budget, true, true) : "";
  const base = intArgument(call, 1, "base") ?? 10;
  const whole =
    base !== 10
      ? Number.parseInt(written, base)
      : /^[+-]?\d+(\.\d*)?$/.test(written)
        ? Math.trunc(Number(written))
        : Number.NaN;
  return Number.isNaN(whole) ? fallback : int(whole);
};

const toFloat: Filter = (value, call) => {
  if (isBool(value) || isNumber(value)) return float(Number(value.value));
  const written = isString(value) ? strip(value.value, call.budget, true, true) : "";
  const read = written === "" ? Number.NaN : Number(written);
  return Number.isNaN(read) ? (argument(call, 0, "default") ?? float(0)) : float(read);
};

const toJson: Filter = (value, call) => {
  const indent = intArgument(call, 1, "indent");
  if (indent !== undefined && (indent < 0 || indent > MAX_INDENT))
    throw new Error(`indent must be between 0 and ${MAX_INDENT}`);
  const separators = argument(call, 2, "separators");
  let parts: [string, string] | undefined;
  if (separators !== undefined && isList(separators)) {
    const [comma, colon] = separators.value;
    if (!comma || !colon || !isString(comma) || !isString(colon))
      throw new Error("separators must be two strings");
    parts = [comma.value, colon.value];
  }
  return str(
    json(value, call.budget, {
      indent,
      ensureAscii: flag(call, 0, "ensure_ascii"),
      sortKeys: flag(call, 3, "sort_keys"),
      separators: parts,
    }),
  );
};

const indentText = onText((value, call) => {
  const width = argument(call, 0, "width");
  const by =
    width !== undefined && isString(width)
      ? width.value
      : " ".repeat(Math.min(Math.max(intArgument(call, 0, "width") ?? 4, 0), MAX_INDENT));
  const [first, blank] = [flag(call, 1, "first"), flag(call, 2, "blank")];
  const lines = value.split("\n");
  call.budget.entries(lines.length);
  call.budget.text(value.length + lines.length * by.length);
  return lines
    .map((line, i) => ((i === 0 && !first) || (line === "" && !blank) ? line : by + line))
    .join("\n");
});

/** The text, or its beginning up to a word's end where it is longer than `length` by more than 5. */
function truncate(value: string, call: Call): string {
  const [all, most] = [Array.from(value), intArgument(call, 0, "length") ?? 255];
  if (all.length <= most + (intArgument(call, 3, "leeway") ?? 5)) return value;
  const end = stringArgument(call, 2, "end") ?? "...";
  const kept = all.slice(0, Math.max(0, most - end.length)).join("");
  return (flag(call, 1, "killwords") ? kept : kept.replace(/(.) [^ ]*$/s, "$1")) + end;
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&#34;",
  "'": "&#39;",
};

const escapeHtml = onText((value, call) => {
  call.budget.text(5 * value.length);
  call.budget.entries(value.length / 2);
  return value.replace(/[&<>"']/g, (c) => ESCAPES[c]);
});

const fallback: Filter = (value, call) => {
  const missing = flag(call, 1, "boolean") ? !truthy(value) : isUndef(value);
  return missing ? (argument(call, 0, "default_value") ?? str("")) : value;
};

const FILTERS: ReadonlyMap<string, Filter> = new Map<string, Filter>([
  [
    "abs",
    (v) => {
      if (!isNumber(v)) throw new Error(`abs needs a number, not ${v.type}`);
      return number(Math.abs(v.value));
    },
  ],
  ["bool", (v) => bool(truthy(v))],
  ["capitalize", onText(capitalize)],
  ["count", (v) => int(length(v))],
  ["d", fallback],
  ["default", fallback],
  ["dictsort", dictsort],
  ["e", escapeHtml],
  ["escape", escapeHtml],
  ["first", (v, call) => (isNone(v) ? UNDEFINED : (iterate(v, call.budget)[0] ?? UNDEFINED))],
  ["float", toFloat],
  ["indent", indentText],
  ["int", toInt],
  [
    "items",
    (v, call) => {
      if (isUndef(v) || isNone(v)) return list([]);
      if (!isDict(v)) throw new Error(`items needs a mapping, not ${v.type}`);
      return items(v, call.budget);
    },
  ],
  [
    "join",
    (v, call) => {
      const path = argument(call, 1, "attribute");
      const all = entries(v, call).map((item) => (path ? attributeAt(item, path, call) : item));
      return str(join(all, stringArgument(call, 0, "d") ?? "", call.budget));
    },
  ],
  ["last", (v, call) => (isNone(v) ? UNDEFINED : (iterate(v, call.budget).at(-1) ?? UNDEFINED))],
  ["length", (v) => int(length(v))],
  ["list", onList((values) => values.slice())],
  ["lower", onText((value) => value.toLowerCase())],
  ["map", map],
  ["max", extreme(-1)],
  ["min", extreme(1)],
  ["reject", choose(false, false)],
  ["rejectattr", choose(true, false)],
  [
    "replace",
    onText((value, call) =>
      replace(
        value,
        stringArgument(call, 0, "old") ?? "",
        stringArgument(call, 1, "new") ?? "",
        intArgument(call, 2, "count") ?? -1,
        call.budget,
      ),
    ),
  ],
  [
    "reverse",
    (v, call) =>
      isString(v)
        ? str(
            iterate(v, call.budget)
              .map((one) => one.value)
              .reverse()
              .join(""),
          )
        : onList((values) => values.slice().reverse())(v, call),
  ],
  [
    "round",
    (v, call) => {
      if (!isNumber(v)) throw new Error(`round needs a number, not ${v.type}`);
      const scale = 10 ** (intArgument(call, 0, "precision") ?? 0);
      return float(Math.round(v.value * scale) / scale);
    },
  ],
  ["safe", (v) => (isUndef(v) ? str("") : Object.assign({ safe: true }, v))],
  ["select", choose(false, true)],
  ["selectattr", choose(true, true)],
  [
    "sort",
    (v, call) => {
      const path = argument(call, 2, "attribute");
      const caseSensitive = flag(call, 1, "case_sensitive");
      const key = (item: Value): Value =>
        sortKey(path && !isNone(path) ? attributeAt(item, path, call) : item, caseSensitive);
      const reverse = flag(call, 0, "reverse");
      return onList((values) => sorted(values, key, reverse, call))(v, call);
    },
  ],
  ["string", onText((value) => value)],
  [
    "sum",
    (v, call) => {
      const path = argument(call, 0, "attribute");
      let sum = 0;
      for (const item of entries(v, call)) {
        const one = path ? attributeAt(item, path, call) : item;
        if (!isNumber(one)) throw new Error(`sum cannot add ${one.type}`);
        sum += one.value;
      }
      return number(sum);
    },
  ],
  ["title", onText((value, call) => title(value, call.budget))],
  ["tojson", toJson],
  [
    "trim",
    onText((value, call) =>
      strip(value, call.budget, true, true, stringArgument(call, 0, "chars")),
    ),
  ],
  ["truncate", onText(truncate)],
  [
    "unique",
    onList((values, call) => {
      const out: Value[] = [];
      for (const value of values)
        if (!out.some((one) => equal(one, value, call.budget))) out.push(value);
      return out;
    }),
  ],
  ["upper", onText((value) => value.toUpperCase())],
]);

/** `value | name(…)`. */
export function applyFilter(name: string, value: Value, call: Call): Value {
  const filter = FILTERS.get(name);
  if (filter === undefined) throw new Error(`there is no filter "${name}"`);
  call.budget.entries(1);
  if (isString(value)) call.budget.text(value.value.length);
  return filter(value, call);
}
