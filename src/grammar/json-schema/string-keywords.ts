/** `minLength`, `maxLength`, `pattern` and `format`. */
import type { Regex } from "../regex/regex.ts";
import { counts } from "./counts.ts";
import type { SchemaObject } from "./document.ts";
import { formatExpression } from "./formats.ts";
import type { Goals } from "./goals.ts";
import { patternExpression } from "./pattern.ts";

function* parts(expander: Goals, schema: SchemaObject): Generator<Regex> {
  const { strings } = expander.use;
  const [min, max] = counts(expander, schema, "minLength", "maxLength");
  if (min > 0 || max < Number.POSITIVE_INFINITY) yield strings.length(min, max);
  const pointer = expander.document.pointer(schema);
  if ("pattern" in schema)
    yield patternExpression(expander.use, schema.pattern, "pattern", pointer);
  if ("format" in schema && expander.formats)
    yield formatExpression(expander.use, schema.format, pointer);
}

export function stringsOf(expander: Goals, schema: SchemaObject): Regex {
  const all = [...parts(expander, schema)];
  return all.length > 0 ? expander.use.r.and(...all) : expander.use.strings.any;
}

export function failingStrings(expander: Goals, schema: SchemaObject): Regex {
  const all = [...parts(expander, schema)];
  return all.length > 0
    ? expander.use.otherStrings(expander.use.r.and(...all))
    : expander.use.r.never;
}
