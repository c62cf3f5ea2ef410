/** Binary operators but `and` and `or`: Python's, with none and undefined added to text as nothing. */
import type { Budget } from "./budget.ts";
import { text } from "./print.ts";
import {
  bool,
  compare,
  contains,
  equal,
  float,
  int,
  isBool,
  isFloat,
  isInt,
  isList,
  isNone,
  isNumber,
  isString,
  isUndef,
  list,
  str,
  type Value,
} from "./values.ts";

/** `left operator right`. */
export function binary(operator: string, left: Value, right: Value, budget: Budget): Value {
  switch (operator) {
    case "==":
      return bool(equal(left, right, budget));
    case "!=":
      return bool(!equal(left, right, budget));
    case "in":
      return bool(contains(right, left, budget));
    case "not in":
      return bool(!contains(right, left, budget));
    case "<":
      return bool(compare(left, right, budget) < 0);
    case "<=":
      return bool(compare(left, right, budget) <= 0);
    case ">":
      return bool(compare(left, right, budget) > 0);
    case ">=":
      return bool(compare(left, right, budget) >= 0);
    case "~":
      return joined(left, right, budget);
    case "+":
      if (isString(left) || isString(right)) return joined(left, right, budget);
      if (isList(left) && isList(right)) {
        budget.entries(left.value.length + right.value.length);
        return list([...left.value, ...right.value]);
      }
      return arithmetic(operator, left, right);
    case "*":
      if (isInt(right)) return repeated(left, right.value, budget) ?? arithmetic("*", left, right);
      if (isInt(left)) return repeated(right, left.value, budget) ?? arithmetic("*", left, right);
      return arithmetic(operator, left, right);
    default:
      return arithmetic(operator, left, right);
  }
}

/** `-value` or `+value`. */
export function signed(operator: "-" | "+", value: Value): Value {
  if (!isNumber(value) && !isBool(value))
    throw new Error(`there is no ${operator} of ${value.type}`);
  const result = operator === "-" ? -Number(value.value) : Number(value.value);
  return isFloat(value) ? float(result) : int(result);
}

function joined(left: Value, right: Value, budget: Budget): Value {
  const [a, b] = [left, right].map((v) => (isNone(v) || isUndef(v) ? "" : text(v, budget)));
  budget.join(a.length, b.length);
  return str(a + b);
}

function repeated(value: Value, times: number, budget: Budget): Value | undefined {
  const count = Math.max(0, times);
  if (isString(value)) {
    budget.text(value.value.length * count);
    return str(value.value.repeat(count));
  }
  if (isList(value)) {
    budget.entries(value.value.length * count);
    return list(Array.from({ length: count }, () => value.value).flat());
  }
  return undefined;
}

function arithmetic(operator: string, left: Value, right: Value): Value {
  if (!(isNumber(left) || isBool(left)) || !(isNumber(right) || isBool(right)))
    throw new Error(`cannot work out ${left.type} ${operator} ${right.type}`);
  const [a, b] = [Number(left.value), Number(right.value)];
  const whole = (isInt(left) || isBool(left)) && (isInt(right) || isBool(right));
  const result = calculate(operator, a, b);
  const stays = operator !== "/" && !(operator === "**" && b < 0);
  return whole && stays && Number.isInteger(result) ? int(result) : float(result);
}

function calculate(operator: string, a: number, b: number): number {
  if (b === 0 && (operator === "/" || operator === "//" || operator === "%"))
    throw new Error("division by zero");
  switch (operator) {
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      return a * b;
    case "/":
      return a / b;
    case "//":
      return Math.floor(a / b);
    case "%":
      return a - b * Math.floor(a / b);
    case "**":
      return a ** b;
    default:
      throw new Error(`there is no operator "${operator}"`);
  }
}
