/** Arguments of functions, methods and filters, by position or by name. */
import { type Call, isInt, isNone, isString, isUndef, type Value } from "./values.ts";

/** The argument at `position` or called `name`, if it was given. */
export const argument = (call: Call, position: number, name: string): Value | undefined =>
  call.args[position] ?? call.named.get(name);

/** A string argument; none and undefined count as left out. */
export function stringArgument(call: Call, position: number, name: string): string | undefined {
  const value = argument(call, position, name);
  if (value === undefined || isNone(value) || isUndef(value)) return undefined;
  if (!isString(value)) throw new Error(`${name} must be a string, not ${value.type}`);
  return value.value;
}

/** A whole-number argument; none and undefined count as left out. */
export function intArgument(call: Call, position: number, name: string): number | undefined {
  const value = argument(call, position, name);
  if (value === undefined || isNone(value) || isUndef(value)) return undefined;
  if (!isInt(value)) throw new Error(`${name} must be a whole number, not ${value.type}`);
  return value.value;
}

export function requiredArgument(call: Call, position: number, name: string): string {
  const value = stringArgument(call, position, name);
  if (value === undefined) throw new Error(`${name} is missing`);
  return value;
}
