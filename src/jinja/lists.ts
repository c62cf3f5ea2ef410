/** What Jinja's list filters are made of: entries, attributes, order and choice. */

import { argument, stringArgument } from "./arguments.ts";
import { runTest } from "./tests.ts";
import {
  type Call,
  compare,
  isDict,
  isList,
  isNamespace,
  isNone,
  isString,
  iterate,
  list,
  NONE,
  str,
  truthy,
  tuple,
  UNDEFINED,
  type Value,
  valueOfKey,
} from "./values.ts";

export type Filter = (value: Value, call: Call) => Value;

/** The entries of what a list filter is given, paid for. */
export function entries(value: Value, call: Call): Value[] {
  const all = iterate(value, call.budget);
  call.budget.entries(all.length);
  return all;
}

/** A filter that makes one list of another. */
export const onList =
  (change: (values: Value[], call: Call) => Value[]): Filter =>
  (value, call) =>
    list(change(entries(value, call), call));

/** An argument as a flag; left out = false. */
export const flag = (call: Call, position: number, name: string): boolean => {
  const value = argument(call, position, name);
  return value !== undefined && truthy(value);
};

/** The entry at a path such as `function.name` or `0`; undefined where the path ends early. */
export function attributeAt(value: Value, path: Value, { budget }: Call): Value {
  let at = value;
  if (isString(path)) budget.entries(path.value.length);
  for (const part of isString(path) ? path.value.split(".") : [path.value]) {
    if (isList(at))
      at = (/^-?\d+$/.test(String(part)) ? at.value.at(Number(part)) : undefined) ?? UNDEFINED;
    else if (isDict(at) || isNamespace(at)) at = at.value.get(part as string) ?? UNDEFINED;
    else return UNDEFINED;
  }
  return at;
}

/** How a value is ordered: strings in lower case unless case matters. */
export const sortKey = (value: Value, caseSensitive: boolean): Value =>
  isString(value) && !caseSensitive ? str(value.value.toLowerCase()) : value;

/** The values in the order of their keys. */
export function sorted(
  values: Value[],
  key: (v: Value) => Value,
  reverse: boolean,
  call: Call,
): Value[] {
  const keyed = values.map((value) => [key(value), value] as const);
  keyed.sort(([a], [b]) => {
    return reverse ? compare(b, a, call.budget) : compare(a, b, call.budget);
  });
  return keyed.map(([, value]) => value);
}

/** Keeps entries (or entries' attributes) that pass a test, or those that are true. */
export const choose =
  (byAttribute: boolean, keep: boolean): Filter =>
  (value, call) => {
    const [path, rest] = byAttribute ? [call.args[0], call.args.slice(1)] : [NONE, call.args];
    const [test, other] = rest;
    if (path === undefined || (test !== undefined && !isString(test)))
      throw new Error("select and reject take names in quotes");
    if (isNone(value)) return list([]);
    return onList((values) =>
      values.filter((item) => {
        const subject = byAttribute ? attributeAt(item, path, call) : item;
        const passes =
          test === undefined ? truthy(subject) : runTest(test.value, subject, other, call.budget);
        return passes === keep;
      }),
    )(value, call);
  };

/** Jinja's dictsort: a mapping's pairs, ordered by key or value. */
export const dictsort: Filter = (value, call) => {
  if (!isDict(value)) throw new Error(`dictsort needs a mapping, not ${value.type}`);
  const by = stringArgument(call, 1, "by") === "value" ? 1 : 0;
  const caseSensitive = flag(call, 0, "case_sensitive");
  call.budget.entries(2 * value.value.size);
  const pairs = Array.from(value.value, ([key, item]) => tuple([valueOfKey(key), item]));
  const key = (pair: Value): Value => sortKey((pair.value as Value[])[by], caseSensitive);
  return list(sorted(pairs, key, flag(call, 2, "reverse"), call));
};

/** The smallest (sign 1) or largest (-1) entry. */
export const extreme =
  (sign: number): Filter =>
  (value, call) => {
    const caseSensitive = flag(call, 0, "case_sensitive");
    const path = argument(call, 1, "attribute");
    const key = (v: Value): Value => sortKey(path ? attributeAt(v, path, call) : v, caseSensitive);
    let best: Value | undefined;
    for (const item of entries(value, call))
      if (best === undefined || sign * compare(key(item), key(best), call.budget) < 0) best = item;
    return best ?? UNDEFINED;
  };
