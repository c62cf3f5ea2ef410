/** The keywords of arrays. */
import { counts } from "./counts.ts";
import type { SchemaObject } from "./document.ts";
import type { Goals } from "./goals.ts";
import { malformed, refuse } from "./refuse.ts";
import { ANY_ARRAY, ANYTHING, type ArrayShape, type Contains, type Goal } from "./shape.ts";

interface Parts {
  readonly prefix: readonly Goal[];
  readonly rest: Goal;
  readonly restKeyword: string;
  readonly looksAtRest: boolean;
  readonly contains: Contains | undefined;
}

function parts(expander: Goals, schema: SchemaObject): Parts {
  const listed = Array.isArray(schema.items) ? "items" : "prefixItems";
  const restKeyword = listed === "items" ? "additionalItems" : "items";
  const list = schema[listed] ?? [];
  if (!Array.isArray(list))
    malformed(listed, expander.document.pointer(schema), "it is a list of schemas");
  const looksAtRest = restKeyword in schema;
  let contains: Contains | undefined;
  if ("contains" in schema) {
    const [min, max] = counts(expander, schema, "minContains", "maxContains");
    const goal = expander.goal(schema.contains, schema, "contains");
    contains = { goal, min: "minContains" in schema ? min : 1, max };
  }
  return {
    prefix: list.map((one) => expander.goal(one, schema, listed)),
    rest: looksAtRest ? expander.goal(schema[restKeyword], schema, restKeyword) : ANYTHING,
    ...{ restKeyword, looksAtRest, contains },
  };
}

/** The arrays that the schema allows. */
export function arrayShape(expander: Goals, schema: SchemaObject): ArrayShape[] {
  const { prefix, rest, looksAtRest, contains } = parts(expander, schema);
  const [min, given] = counts(expander, schema, "minItems", "maxItems");
  const max = rest ? given : Math.min(given, prefix.length);
  if (min > max) return [];
  const asks = contains && (contains.min > 0 || contains.max < Number.POSITIVE_INFINITY);
  const evaluates = contains && contains.goal !== undefined;
  return [
    {
      ...{ prefix, rest, min, max },
      contains: asks || (evaluates && expander.document.unevaluated) ? [contains] : [],
      unique: schema.uniqueItems === true ? schema : undefined,
      seen: looksAtRest ? Number.POSITIVE_INFINITY : prefix.length,
    },
  ];
}

/** The arrays that the schema's keywords rule out. */
export function arrayFailures(expander: Goals, schema: SchemaObject): ArrayShape[] {
  const { prefix, rest, restKeyword, contains } = parts(expander, schema);
  const [min, max] = counts(expander, schema, "minItems", "maxItems");
  const out: ArrayShape[] = [];
  const add = (fields: Partial<ArrayShape>): void => {
    out.push({ ...ANY_ARRAY, ...fields });
  };
  if (min > 0) add({ max: min - 1 });
  if (max < Number.POSITIVE_INFINITY) add({ min: max + 1 });
  prefix.forEach((goal, i) => {
    const wrong = expander.fails(goal);
    if (wrong) add({ prefix: [...new Array<Goal>(i).fill(ANYTHING), wrong], min: i + 1 });
  });
  const wrong = expander.fails(rest);
  if (wrong?.length === 0) add({ min: prefix.length + 1 });
  else if (wrong && prefix.length === 0)
    add({ contains: [{ goal: wrong, min: 1, max: Number.POSITIVE_INFINITY }] });
  else if (wrong)
    refuse(
      restKeyword,
      expander.document.pointer(schema),
      "its opposite is asked for beside a prefix",
    );
  if (contains) {
    if (contains.min > 0) add({ contains: [{ ...contains, min: 0, max: contains.min - 1 }] });
    if (contains.max < Number.POSITIVE_INFINITY)
      add({ contains: [{ ...contains, min: contains.max + 1, max: Number.POSITIVE_INFINITY }] });
  }
  if (schema.uniqueItems === true)
    refuse("uniqueItems", expander.document.pointer(schema), "its opposite is asked for");
  return out;
}
