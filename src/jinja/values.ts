/** The values of a running template, with Python's equality, order and membership. */
import { type Budget, LimitError } from "./budget.ts";

/**
 * Keys of a mapping: Jinja has numbers, booleans (which count as numbers), none and tuples too, these as
 * their text behind a NUL.
 */
export type Key = string | number | null;

/** A value of one type; `type` is its name in messages as well. */
interface Typed<Type extends string, T> {
  readonly type: Type;
  readonly value: T;
}
export type StringValue = Typed<"string", string>;
export type IntegerValue = Typed<"integer", number>;
export type FloatValue = Typed<"float", number>;
export type NumberValue = IntegerValue | FloatValue;
export type BooleanValue = Typed<"boolean", boolean>;
export type NoneValue = Typed<"none", null>;
export type UndefinedValue = Typed<"undefined", undefined>;
export type TupleValue = Typed<"tuple", Value[]>;
export type ListValue = Typed<"list", Value[]> | TupleValue;
export type MappingValue = Typed<"mapping", Map<Key, Value>>;
/** The entries that templates can assign to. */
export type NamespaceValue = Typed<"namespace", Map<Key, Value>>;
export type FunctionValue = Typed<"function", Callable>;

export type Value =
  | StringValue
  | NumberValue
  | BooleanValue
  | NoneValue
  | UndefinedValue
  | ListValue
  | MappingValue
  | NamespaceValue
  | FunctionValue;

/** Arguments of a call, already evaluated. */
export interface Call {
  readonly args: readonly Value[];
  readonly named: ReadonlyMap<string, Value>;
  readonly budget: Budget;
}
export type Callable = (call: Call) => Value;

export const NONE: Value = { type: "none", value: null };
export const UNDEFINED: Value = { type: "undefined", value: undefined };
export const str = (value: string): Value => ({ type: "string", value });
export const int = (value: number): Value => ({ type: "integer", value });
export const float = (value: number): Value => ({ type: "float", value });
export const bool = (value: boolean): Value => ({ type: "boolean", value });
export const list = (value: Value[]): Value => ({ type: "list", value });
export const tuple = (value: Value[]): Value => ({ type: "tuple", value });
export const dict = (value: Map<Key, Value>): Value => ({ type: "mapping", value });
export const namespace = (value: Map<Key, Value>): Value => ({ type: "namespace", value });
export const fn = (value: Callable): Value => ({ type: "function", value });

export const isString = (v: Value): v is StringValue => v.type === "string";
export const isInt = (v: Value): v is IntegerValue => v.type === "integer";
export const isFloat = (v: Value): v is FloatValue => v.type === "float";
export const isNumber = (v: Value): v is NumberValue => isInt(v) || isFloat(v);
export const isBool = (v: Value): v is BooleanValue => v.type === "boolean";
export const isNone = (v: Value): v is NoneValue => v.type === "none";
export const isUndef = (v: Value): v is UndefinedValue => v.type === "undefined";
export const isTuple = (v: Value): v is TupleValue => v.type === "tuple";
export const isList = (v: Value): v is ListValue => v.type === "list" || isTuple(v);
export const isNamespace = (v: Value): v is NamespaceValue => v.type === "namespace";
export const isDict = (v: Value): v is MappingValue => v.type === "mapping";
export const isFunction = (v: Value): v is FunctionValue => v.type === "function";

/** Whether Python takes a value for true: no zero, and nothing empty or missing. */
export function truthy(v: Value): boolean {
  if (isList(v)) return v.value.length > 0;
  if (isDict(v)) return v.value.size > 0;
  return Boolean(v.value);
}

/** True for what can be the key of a mapping. */
export const isKey = (v: Value): boolean =>
  isString(v) || isNumber(v) || isBool(v) || isNone(v) || isTuple(v);

/** The mapping key of a value. */
export function keyOf(v: Value, budget: Budget): Key {
  if (isString(v)) budget.text(v.value.length);
  if (isString(v) || isNumber(v) || isNone(v)) return v.value;
  if (isBool(v)) return Number(v.value);
  if (isTuple(v)) return `\0(${v.value.map((one) => keyOf(one, budget)).join(", ")})`;
  throw new Error(`${v.type} cannot be a key`);
}

/** The value of a mapping key. */
export const valueOfKey = (key: Key): Value =>
  key === null ? NONE : typeof key === "number" ? number(key) : str(key.replace("\0", ""));

/** A number of JavaScript as integer or float. */
export const number = (value: number): Value =>
  Number.isInteger(value) ? int(value) : float(value);

/** Deepest nesting of lists and mappings that is followed. */
export const MAX_NESTING = 100;

/** Throws where containers nest too deeply (or contain themselves). */
export function checkNesting(depth: number): void {
  if (depth > MAX_NESTING) throw new LimitError(`it nests data deeper than ${MAX_NESTING}`);
}

/** An object of the input: most are never looked into, so that its entries are read when one is. */
class GivenMapping implements MappingValue {
  readonly type = "mapping";
  readonly #budget: Budget;
  readonly #depth: number;
  #given: object;
  #value: Map<Key, Value> | undefined;

  constructor(given: object, budget: Budget, depth: number) {
    this.#given = given;
    this.#budget = budget;
    this.#depth = depth;
  }

  get value(): Map<Key, Value> {
    if (this.#value) return this.#value;
    const entries = Object.entries(this.#given);
    this.#budget.grantEntries(entries.length);
    this.#value = new Map();
    for (const [key, one] of entries) this.#value.set(key, toValue(one, this.#budget, this.#depth));
    return this.#value;
  }
}

/** Plain data as a value; functions and symbols become undefined. Only own properties are read. */
export function toValue(input: unknown, budget: Budget, depth = 0): Value {
  checkNesting(depth);
  switch (typeof input) {
    case "string":
      budget.grantText(input.length);
      return str(input);
    case "number":
      return number(input);
    case "bigint":
      // Long numbers, such as ids, are only ever printed.
      return int(input as unknown as number);
    case "boolean":
      return bool(input);
    case "object": {
      if (input === null) return NONE;
      if (Array.isArray(input)) {
        budget.grantEntries(input.length);
        return list(input.map((item) => toValue(item, budget, depth + 1)));
      }
      return new GivenMapping(input, budget, depth + 1);
    }
    default:
      return UNDEFINED;
  }
}

/** Python's `==`. */
export function equal(a: Value, b: Value, budget: Budget, depth = 0): boolean {
  checkNesting(depth);
  budget.entries(1);
  if (a === b) return true;
  if ((isNumber(a) || isBool(a)) && (isNumber(b) || isBool(b)))
    return Number(a.value) === Number(b.value);
  if (isList(a) && isList(b)) {
    const [left, right] = [a.value, b.value];
    if (left.length !== right.length) return false;
    return left.every((item, i) => equal(item, right[i], budget, depth + 1));
  }
  if (isDict(a) && isDict(b)) {
    if (a.value.size !== b.value.size) return false;
    for (const [key, value] of a.value) {
      const other = b.value.get(key);
      if (other === undefined || !equal(value, other, budget, depth + 1)) return false;
    }
    return true;
  }
  if (isString(a) && isString(b)) {
    if (a.value.length !== b.value.length) return false;
    budget.text(a.value.length);
  }
  return a.type === b.type && a.value === b.value;
}

/** Python's order of numbers and of strings: negative, zero or positive. */
export function compare(a: Value, b: Value, budget: Budget): number {
  budget.entries(1);
  if ((isNumber(a) || isBool(a)) && (isNumber(b) || isBool(b)))
    return Number(a.value) - Number(b.value);
  if (isString(a) && isString(b)) {
    budget.text(Math.min(a.value.length, b.value.length));
    return a.value < b.value ? -1 : a.value > b.value ? 1 : 0;
  }
  throw new Error(`${a.type} and ${b.type} have no order`);
}

/** Python's `in`: part of a string, entry of a list, key of a mapping; nothing is in undefined. */
export function contains(container: Value, item: Value, budget: Budget): boolean {
  if (isUndef(container)) return false;
  if (isString(container) && isString(item)) {
    budget.search(container.value, item.value);
    return container.value.includes(item.value);
  }
  if (isList(container)) return container.value.some((entry) => equal(entry, item, budget));
  if (isDict(container) || isNamespace(container))
    return isKey(item) && container.value.has(keyOf(item, budget));
  if (isString(container) && (isNone(item) || isUndef(item))) return false;
  throw new Error(`cannot look for ${item.type} in ${container.type}`);
}

/** The values that a loop over `v` meets: entries, keys or characters; nothing for undefined. */
export function iterate(v: Value, budget: Budget): Value[] {
  if (isUndef(v)) return [];
  if (isList(v)) return v.value;
  if (isDict(v)) {
    budget.entries(v.value.size);
    return Array.from(v.value.keys(), valueOfKey);
  }
  if (isString(v)) {
    budget.entries(v.value.length);
    return Array.from(v.value, str);
  }
  throw new Error(`${v.type} cannot be looped over`);
}
