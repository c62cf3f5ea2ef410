/** Keywords that count: `minLength`, `maxItems` and the like. */
import type { SchemaObject } from "./document.ts";
import type { Goals } from "./goals.ts";
import { malformed } from "./refuse.ts";

/** The two counts; 0 and Infinity where they are not given. */
export function counts(
  expander: Goals,
  schema: SchemaObject,
  min: string,
  max: string,
): [min: number, max: number] {
  const count = (keyword: string, otherwise: number): number => {
    if (!(keyword in schema)) return otherwise;
    const value = schema[keyword];
    if (!Number.isInteger(value) || (value as number) < 0)
      malformed(keyword, expander.document.pointer(schema), "it is a whole number of at least 0");
    return value as number;
  };
  return [count(min, 0), count(max, Number.POSITIVE_INFINITY)];
}
