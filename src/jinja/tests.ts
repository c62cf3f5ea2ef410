/** Jinja's tests: `value is NAME`, and those that select and reject take by name. */
import type { Budget } from "./budget.ts";
import {
  compare,
  contains,
  equal,
  isBool,
  isDict,
  isFloat,
  isFunction,
  isInt,
  isList,
  isNone,
  isNumber,
  isString,
  isUndef,
  NONE,
  type NumberValue,
  type Value,
} from "./values.ts";

type Test = (value: Value, other: Value, budget: Budget) => boolean;

const whole = (v: Value): number => {
  if (!isInt(v)) throw new Error(`this test needs a whole number, not ${v.type}`);
  return (v as NumberValue).value;
};
const isTrue = (v: Value): boolean => isBool(v) && v.value;
const isFalse = (v: Value): boolean => isBool(v) && !v.value;
const isIterable = (v: Value): boolean => isList(v) || isString(v) || isDict(v) || isUndef(v);
const lessThan: Test = (a, b, budget) => compare(a, b, budget) < 0;
const greaterThan: Test = (a, b, budget) => compare(a, b, budget) > 0;

const TESTS: ReadonlyMap<string, Test> = new Map<string, Test>([
  ["defined", (v) => !isUndef(v)],
  ["undefined", isUndef],
  ["none", isNone],
  ["boolean", isBool],
  ["true", isTrue],
  ["false", isFalse],
  ["string", isString],
  ["number", isNumber],
  ["integer", isInt],
  ["float", isFloat],
  ["mapping", isDict],
  ["iterable", isIterable],
  ["sequence", isIterable],
  ["callable", isFunction],
  ["escaped", (v) => "safe" in v],
  ["test", (v) => isString(v) && TESTS.has(v.value)],
  ["odd", (v) => whole(v) % 2 !== 0],
  ["even", (v) => whole(v) % 2 === 0],
  ["divisibleby", (v, by) => whole(v) % whole(by) === 0],
  ["lower", (v) => isString(v) && v.value === v.value.toLowerCase()],
  ["upper", (v) => isString(v) && v.value === v.value.toUpperCase()],
  ["eq", equal],
  ["equalto", equal],
  ["==", equal],
  ["ne", (a, b, budget) => !equal(a, b, budget)],
  ["!=", (a, b, budget) => !equal(a, b, budget)],
  ["lt", lessThan],
  ["lessthan", lessThan],
  ["<", lessThan],
  ["le", (a, b, budget) => compare(a, b, budget) <= 0],
  ["<=", (a, b, budget) => compare(a, b, budget) <= 0],
  ["gt", greaterThan],
  ["greaterthan", greaterThan],
  [">", greaterThan],
  ["ge", (a, b, budget) => compare(a, b, budget) >= 0],
  [">=", (a, b, budget) => compare(a, b, budget) >= 0],
  ["in", (item, container, budget) => contains(container, item, budget)],
  ["sameas", (a, b) => a === b || (a.type === b.type && a.value === b.value)],
]);

/** Tests that read a text to its end. */
const READING: ReadonlySet<string> = new Set(["lower", "upper"]);

/** `value is NAME(other)`. */
export function runTest(
  name: string,
  value: Value,
  other: Value | undefined,
  budget: Budget,
): boolean {
  const test = TESTS.get(name);
  if (test === undefined) throw new Error(`there is no test "${name}"`);
  if (READING.has(name) && isString(value)) budget.text(value.value.length);
  return test(value, other ?? NONE, budget);
}
