/** `minimum`, `maximum`, their exclusive forms (draft 4's as well) and `multipleOf`. */
import type { Regex } from "../regex/regex.ts";
import type { SchemaObject } from "./document.ts";
import { NUMBER_FORMATS } from "./formats.ts";
import type { Goals } from "./goals.ts";
import { plainDecimal } from "./numbers.ts";
import { malformed, refuse } from "./refuse.ts";

/** A step beyond which remainders are no exact numbers. */
const LARGEST_STEP = 9e14;

function* parts(expander: Goals, schema: SchemaObject): Generator<Regex> {
  const { numbers } = expander.use;
  const pointer = expander.document.pointer(schema);
  const number = (keyword: string): number | undefined => {
    const value = schema[keyword];
    if (value === undefined || typeof value === "boolean") return undefined;
    if (typeof value !== "number") malformed(keyword, pointer, "it is a number");
    return value;
  };
  const minimum = number("minimum");
  const maximum = number("maximum");
  const above = number("exclusiveMinimum");
  const below = number("exclusiveMaximum");
  if (minimum !== undefined) yield numbers.from(minimum, schema.exclusiveMinimum === true);
  if (maximum !== undefined) yield numbers.upTo(maximum, schema.exclusiveMaximum === true);
  if (above !== undefined) yield numbers.from(above, true);
  if (below !== undefined) yield numbers.upTo(below, true);
  const format = expander.formats && typeof schema.format === "string" ? schema.format : "";
  const bounds = Object.hasOwn(NUMBER_FORMATS, format) ? NUMBER_FORMATS[format] : undefined;
  if (bounds) {
    yield numbers.integer;
    if (Number.isFinite(bounds[0])) {
      yield numbers.from(bounds[0], false);
      yield numbers.upTo(bounds[1], false);
    }
  }
  const step = number("multipleOf");
  if (step === undefined) return;
  if (!(step > 0)) malformed("multipleOf", pointer, "it is above 0");
  if (Number(plainDecimal(step).replace(".", "")) > LARGEST_STEP)
    refuse("multipleOf", pointer, `${step} has too many digits`);
  yield numbers.multiples(step);
}

export function numbersOf(expander: Goals, schema: SchemaObject): Regex {
  const all = [...parts(expander, schema)];
  return all.length > 0 ? expander.use.r.and(...all) : expander.use.numbers.any;
}

export function failingNumbers(expander: Goals, schema: SchemaObject): Regex {
  const all = [...parts(expander, schema)];
  return all.length > 0
    ? expander.use.otherNumbers(expander.use.r.and(...all))
    : expander.use.r.never;
}
