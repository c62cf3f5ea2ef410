/** Attributes, subscripts and slices: Python's lookup rules, and the methods of lists and mappings. */

import { argument, intArgument } from "./arguments.ts";
import type { Budget } from "./budget.ts";
import { characters, stringMethod } from "./strings.ts";
import {
  type Call,
  dict,
  equal,
  fn,
  int,
  isBool,
  isDict,
  isInt,
  isKey,
  isList,
  isNamespace,
  isString,
  isTuple,
  isUndef,
  keyOf,
  type ListValue,
  list,
  type MappingValue,
  NONE,
  str,
  tuple,
  UNDEFINED,
  type Value,
  valueOfKey,
} from "./values.ts";

/** `object.name`: a method first, then an entry, as Jinja does; undefined if there is neither. */
export function attribute(object: Value, name: string): Value {
  return method(object, name) ?? entry(object, name) ?? UNDEFINED;
}

/** `object[key]`: an entry first, then a method. */
export function subscript(object: Value, key: Value, budget: Budget): Value {
  if (isInt(key) || isBool(key)) {
    const index = Number(key.value);
    if (isString(object)) {
      budget.text(object.value.length);
      const found = characters(object.value, budget).at(index);
      return found === undefined ? UNDEFINED : str(found);
    }
    if (isList(object)) return object.value.at(index) ?? UNDEFINED;
  }
  if ((isDict(object) || isNamespace(object)) && isKey(key)) {
    const found = object.value.get(keyOf(key, budget));
    if (found !== undefined) return found;
  }
  return isString(key) ? (method(object, key.value) ?? UNDEFINED) : UNDEFINED;
}

function entry(object: Value, name: string): Value | undefined {
  return isDict(object) || isNamespace(object) ? object.value.get(name) : undefined;
}

/** The method of that name, as a function that waits for its arguments. */
function method(object: Value, name: string): Value | undefined {
  if (isString(object)) {
    const found = stringMethod(name);
    return (
      found &&
      fn((call) => {
        call.budget.text(object.value.length);
        return found(object.value, call);
      })
    );
  }
  if (isList(object)) {
    const found = LIST.get(name);
    return found && fn((call) => found(object, call));
  }
  if (isDict(object)) {
    const found = DICT.get(name);
    return found && fn((call) => found(object, call));
  }
  return undefined;
}

/** `object[start:stop:step]` with Python's rules for ends that are missing, negative or too far. */
export function slice(object: Value, ends: readonly [Value, Value, Value], budget: Budget): Value {
  const [start, stop, step] = ends.map((end) => {
    if (isUndef(end) || end.value === null) return undefined;
    if (!isInt(end)) throw new Error(`a slice's ends must be whole numbers, not ${end.type}`);
    return end.value;
  });
  if (step === 0) throw new Error("a slice's step must not be zero");
  if (isString(object)) {
    const all = characters(object.value, budget);
    budget.text(object.value.length);
    if (typeof all === "string" && (step ?? 1) === 1)
      return str(all.slice(...bounds(all.length, start, stop, 1)));
    return str(picked(all, start, stop, step, budget).join(""));
  }
  if (!isList(object)) throw new Error(`${object.type} cannot be sliced`);
  const items = picked(object.value, start, stop, step, budget);
  return isTuple(object) ? tuple(items) : list(items);
}

function bounds(
  length: number,
  start: number | undefined,
  stop: number | undefined,
  step: number,
): [number, number] {
  const [low, high] = step > 0 ? [0, length] : [-1, length - 1];
  const clamp = (end: number): number =>
    Math.min(Math.max(end < 0 ? end + length : end, low), high);
  return [
    start === undefined ? (step > 0 ? low : high) : clamp(start),
    stop === undefined ? (step > 0 ? high : low) : clamp(stop),
  ];
}

function picked<T>(
  all: ArrayLike<T>,
  start: number | undefined,
  stop: number | undefined,
  step = 1,
  budget: Budget,
): T[] {
  const [from, to] = bounds(all.length, start, stop, step);
  budget.entries(Math.max(0, (to - from) / step));
  const out: T[] = [];
  for (let i = from; step > 0 ? i < to : i > to; i += step) out.push(all[i]);
  return out;
}

/** A mapping's entries as pairs. */
export function items(object: MappingValue, budget: Budget): Value {
  budget.entries(2 * object.value.size);
  return list(Array.from(object.value, ([key, value]) => tuple([valueOfKey(key), value])));
}

type Method<T> = (object: T, call: Call) => Value;

/** Entries that are moved at the price of one that is made. */
const ENTRIES_MOVED = 32;

const LIST: ReadonlyMap<string, Method<ListValue>> = new Map<string, Method<ListValue>>([
  [
    "append",
    (l, call) => {
      call.budget.entries(1);
      l.value.push(call.args[0] ?? NONE);
      return NONE;
    },
  ],
  [
    "extend",
    (l, call) => {
      const more = call.args[0];
      if (more === undefined || !isList(more)) throw new Error("extend needs a list");
      call.budget.entries(more.value.length);
      for (const item of more.value.slice()) l.value.push(item);
      return NONE;
    },
  ],
  [
    "insert",
    (l, call) => {
      call.budget.entries(1 + l.value.length / ENTRIES_MOVED);
      l.value.splice(intArgument(call, 0, "index") ?? 0, 0, call.args[1] ?? NONE);
      return NONE;
    },
  ],
  [
    "pop",
    (l, call) => {
      const index = intArgument(call, 0, "index") ?? -1;
      call.budget.entries(1 + l.value.length / ENTRIES_MOVED);
      const [taken] = l.value.splice(index < 0 ? index + l.value.length : index, 1);
      if (taken === undefined) throw new Error("pop found nothing there");
      return taken;
    },
  ],
  [
    "index",
    (l, call) => {
      const at = l.value.findIndex((item) => equal(item, call.args[0] ?? NONE, call.budget));
      if (at < 0) throw new Error("the list has no such entry");
      return int(at);
    },
  ],
  [
    "count",
    (l, call) =>
      int(l.value.filter((item) => equal(item, call.args[0] ?? NONE, call.budget)).length),
  ],
]);

const DICT: ReadonlyMap<string, Method<MappingValue>> = new Map<string, Method<MappingValue>>([
  [
    "get",
    (d, call) =>
      d.value.get(keyOf(call.args[0] ?? NONE, call.budget)) ?? argument(call, 1, "default") ?? NONE,
  ],
  ["items", (d, call) => items(d, call.budget)],
  [
    "keys",
    (d, call) => {
      call.budget.entries(d.value.size);
      return list(Array.from(d.value.keys(), valueOfKey));
    },
  ],
  [
    "values",
    (d, call) => {
      call.budget.entries(d.value.size);
      return list([...d.value.values()]);
    },
  ],
  [
    "copy",
    (d, call) => {
      call.budget.entries(d.value.size);
      return dict(new Map(d.value));
    },
  ],
  [
    "update",
    (d, call) => {
      const more = call.args[0];
      if (more !== undefined && !isDict(more)) throw new Error("update needs a mapping");
      call.budget.entries((more?.value.size ?? 0) + call.named.size);
      for (const [key, value] of more?.value ?? []) d.value.set(key, value);
      for (const [key, value] of call.named) d.value.set(key, value);
      return NONE;
    },
  ],
  [
    "pop",
    (d, call) => {
      const key = keyOf(call.args[0] ?? NONE, call.budget);
      const found = d.value.get(key) ?? call.args[1];
      if (found === undefined) throw new Error(`the mapping has no "${key}"`);
      d.value.delete(key);
      return found;
    },
  ],
  [
    "setdefault",
    (d, call) => {
      const key = keyOf(call.args[0] ?? NONE, call.budget);
      call.budget.entries(1);
      if (!d.value.has(key)) d.value.set(key, call.args[1] ?? NONE);
      return d.value.get(key) ?? NONE;
    },
  ],
]);
