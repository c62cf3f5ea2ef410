/** `unevaluatedProperties` and `unevaluatedItems`: what no other keyword of the schema looked at. */
import type { SchemaObject } from "./document.ts";
import type { Goals } from "./goals.ts";
import { refuse } from "./refuse.ts";
import { type ArrayShape, both, NOTHING_SEEN, type ObjectShape, type Shape } from "./shape.ts";

export function addUnevaluated(expander: Goals, shape: Shape, schema: SchemaObject): Shape {
  let { objects, arrays } = shape;
  if ("unevaluatedProperties" in schema)
    objects = objects.map((one) => addToObject(expander, one, schema));
  if ("unevaluatedItems" in schema) arrays = arrays.map((one) => addToArray(expander, one, schema));
  return { ...shape, objects, arrays };
}

/** Where the opposite of a schema is asked for, what it looked at does not count. */
export const withoutSeen = (shape: Shape): Shape => ({
  ...shape,
  objects: shape.objects.map((one) => ({ ...one, seen: NOTHING_SEEN })),
  arrays: shape.arrays.map((one) => ({ ...one, seen: 0 })),
});

function addToObject(expander: Goals, shape: ObjectShape, schema: SchemaObject): ObjectShape {
  const { use } = expander;
  const goal = expander.goal(schema.unevaluatedProperties, schema, "unevaluatedProperties");
  const { seen } = shape;
  const all = { ...NOTHING_SEEN, all: true };
  if (seen.all) return shape;
  const named = new Map(
    Array.from(shape.named, ([name, one]) => {
      const known = seen.names.has(name) || seen.keys.some((keys) => use.keyMatches(keys, name));
      return [name, known ? one : { ...one, goal: both(one.goal, goal) }];
    }),
  );
  const keys = seen.keys.length > 0 ? use.otherStrings(use.r.or(...seen.keys)) : undefined;
  return { ...shape, named, others: [...shape.others, { keys, goal }], seen: all };
}

function addToArray(expander: Goals, shape: ArrayShape, schema: SchemaObject): ArrayShape {
  const goal = expander.goal(schema.unevaluatedItems, schema, "unevaluatedItems");
  if (shape.seen === Number.POSITIVE_INFINITY) return shape;
  if (shape.contains.length > 0 && goal?.length !== 0)
    refuse("unevaluatedItems", expander.document.pointer(schema), "it stands beside contains");
  const prefix = shape.prefix.map((one, i) => (i < shape.seen ? one : both(one, goal)));
  while (prefix.length < shape.seen) prefix.push(shape.rest);
  const rest = both(shape.rest, goal);
  const max = rest ? shape.max : Math.min(shape.max, prefix.length);
  return { ...shape, prefix, rest, max, seen: Number.POSITIVE_INFINITY };
}
