/**
 * The values of `@huggingface/jinja`. The package makes them but does not export their classes, so
 * these are taken from samples; everything else tells values apart by `type`, as the package does.
 */
import { type Budget, LimitError } from "./budget.ts";
import { Environment, Interpreter, parse, type Scope, tokenize, type Value } from "./package.ts";

export type { Value };

/** Keys of a mapping; Jinja has numbers and booleans too. */
export type Key = string | number | boolean;
export type StringValue = Value & { readonly value: string };
export type NumberValue = Value & { readonly value: number };
export type BooleanValue = Value & { readonly value: boolean };
export type ListValue = Value & { readonly value: Value[] };
/** A mapping or namespace. (The package writes string keys only, but reads any.) */
export type DictValue = Value & { readonly value: Map<Key, Value> };
export type Callable = (args: Value[], scope: Scope) => Value;
export type FunctionValue = Value & { readonly value: Callable };

type Maker<T> = new (value: T) => Value;

const samples = new Environment();
const classOf = <T>(name: string, sample: T): Maker<T> =>
  samples.set(name, sample).constructor as Maker<T>;

const StringClass = classOf("string", "");
const IntegerClass = classOf("integer", 1);
const FloatClass = classOf("float", 0.5);
const BooleanClass = classOf("boolean", true);
const NullClass = classOf("null", null);
const UndefinedClass = classOf("undefined", undefined);
const ListClass = classOf<Value[]>("list", []);
const DictClass = classOf("dict", {}) as unknown as Maker<Map<Key, Value>>;
const FunctionClass = classOf("function", () => null) as unknown as Maker<Callable>;

/** Classes that only a running program shows: a tuple, and the keyword arguments of a call. */
const [TupleClass, KeywordsClass] = ((): [Maker<Value[]>, Maker<Map<string, Value>>] => {
  let seen: Value[] = [];
  const scope = new Environment();
  const spy: Callable = (args) => {
    seen = args;
    return none();
  };
  scope.setVariable("spy", fn(spy));
  new Interpreter(scope).run(parse(tokenize("{{ spy((1, 2), key=1) }}")));
  return seen.map((value) => value.constructor) as unknown as [
    Maker<Value[]>,
    Maker<Map<string, Value>>,
  ];
})();

export const str = (value: string): Value => new StringClass(value);
export const int = (value: number): Value => new IntegerClass(value);
export const float = (value: number): Value => new FloatClass(value);
export const bool = (value: boolean): Value => new BooleanClass(value);
export const list = (value: Value[]): Value => new ListClass(value);
export const tuple = (value: Value[]): Value => new TupleClass(value);
export const dict = (value: Map<Key, Value>): Value => new DictClass(value);
export const keywords = (value: Map<string, Value>): Value => new KeywordsClass(value);
export const undef = (): Value => new UndefinedClass(undefined);

// Used while the classes above are still being found, hence hoisted.
export function none(): Value {
  return new NullClass(null);
}
export function fn(value: Callable): Value {
  return new FunctionClass(value);
}

export const isString = (v: Value): v is StringValue => v.type === "StringValue";
export const isInt = (v: Value): v is NumberValue => v.type === "IntegerValue";
export const isFloat = (v: Value): v is NumberValue => v.type === "FloatValue";
export const isNumber = (v: Value): v is NumberValue => isInt(v) || isFloat(v);
export const isBool = (v: Value): v is BooleanValue => v.type === "BooleanValue";
export const isNone = (v: Value): boolean => v.type === "NullValue";
export const isUndef = (v: Value): boolean => v.type === "UndefinedValue";
export const isTuple = (v: Value): boolean => v.type === "TupleValue";
export const isList = (v: Value): v is ListValue => v.type === "ArrayValue" || isTuple(v);
export const isNamespace = (v: Value): v is DictValue => v.type === "NamespaceValue";
export const isDict = (v: Value): v is DictValue =>
  v.type === "ObjectValue" || v.type === "KeywordArgumentsValue";
export const isFunction = (v: Value): v is FunctionValue => v.type === "FunctionValue";
export const truthy = (v: Value): boolean => v.__bool__().value;

/** The name of a value's type in messages: "string", "integer", … */
export const typeName = (v: Value): string => v.type.replace("Value", "").toLowerCase();

/** True for what can be the key of a mapping. */
export const isKey = (v: Value): boolean => isString(v) || isNumber(v) || isBool(v);

/** The mapping key of a value. */
export function keyOf(v: Value, budget: Budget): Key {
  if (isString(v)) budget.text(v.value.length);
  if (isString(v) || isNumber(v) || isBool(v)) return v.value;
  throw new Error(`${typeName(v)} cannot be a key`);
}

/** The value of a mapping key. */
export const valueOfKey = (key: Key): Value =>
  typeof key === "string" ? str(key) : typeof key === "number" ? number(key) : bool(key);

/** A number of JavaScript as integer or float. */
export const number = (value: number): Value =>
  Number.isInteger(value) ? int(value) : float(value);

/** Deepest nesting of lists and mappings that is followed. */
export const MAX_NESTING = 100;

/** Throws where containers nest too deeply (or contain themselves). */
export function checkNesting(depth: number): void {
  if (depth > MAX_NESTING) throw new LimitError(`it nests data deeper than ${MAX_NESTING}`);
}

/** Plain data as a value; functions and symbols become undefined. Only own properties are read. */
export function toValue(input: unknown, budget: Budget, depth = 0): Value {
  checkNesting(depth);
  switch (typeof input) {
    case "string":
      budget.grant(input.length);
      return str(input);
    case "number":
      return number(input);
    case "bigint":
      return int(Number(input));
    case "boolean":
      return bool(input);
    case "object": {
      if (input === null) return none();
      if (Array.isArray(input)) {
        budget.grant(input.length);
        return list(input.map((item) => toValue(item, budget, depth + 1)));
      }
      const entries = Object.entries(input);
      budget.grant(entries.length);
      return dict(new Map(entries.map(([k, v]) => [k, toValue(v, budget, depth + 1)])));
    }
    default:
      return undef();
  }
}

/** Python's `==`. */
export function equal(a: Value, b: Value, budget: Budget, depth = 0): boolean {
  checkNesting(depth);
  if (a === b) return true;
  if ((isNumber(a) || isBool(a)) && (isNumber(b) || isBool(b)))
    return Number(a.value) === Number(b.value);
  if (isList(a) && isList(b)) {
    const [left, right] = [a.value, b.value];
    if (left.length !== right.length) return false;
    budget.entries(1);
    return left.every((item, i) => equal(item, right[i], budget, depth + 1));
  }
  if (isDict(a) && isDict(b)) {
    if (a.value.size !== b.value.size) return false;
    budget.entries(1);
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
  if ((isNumber(a) || isBool(a)) && (isNumber(b) || isBool(b)))
    return Number(a.value) - Number(b.value);
  if (isString(a) && isString(b)) {
    budget.text(Math.min(a.value.length, b.value.length));
    return a.value < b.value ? -1 : a.value > b.value ? 1 : 0;
  }
  throw new Error(`${typeName(a)} and ${typeName(b)} have no order`);
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
  throw new Error(`cannot look for ${typeName(item)} in ${typeName(container)}`);
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
  throw new Error(`${typeName(v)} cannot be looped over`);
}
