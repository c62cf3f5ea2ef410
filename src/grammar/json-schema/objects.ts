/** The keywords of objects. */
import type { Regex } from "../regex/regex.ts";
import { counts } from "./counts.ts";
import { isObject, type SchemaObject } from "./document.ts";
import type { Goals } from "./goals.ts";
import { otherGoal } from "./merge.ts";
import { patternExpression } from "./pattern.ts";
import { malformed } from "./refuse.ts";
import {
  ANY_OBJECT,
  ANYTHING,
  both,
  type Clause,
  type Goal,
  type ObjectShape,
  type Property,
  type Shape,
} from "./shape.ts";

interface Parts {
  readonly properties: ReadonlyMap<string, Goal>;
  readonly patterns: readonly { readonly keys: Regex; readonly goal: Goal }[];
  /** What holds of all others; undefined where nothing is said. */
  readonly additional: { readonly goal: Goal } | undefined;
  readonly required: readonly string[];
  /** The keys that may be there; undefined: all. */
  readonly names: Regex | undefined;
}

function byName(expander: Goals, schema: SchemaObject, keyword: string): [string, unknown][] {
  const value = schema[keyword];
  if (value === undefined) return [];
  if (!isObject(value))
    malformed(keyword, expander.document.pointer(schema), "it is an object of schemas");
  return Object.entries(value);
}

function strings(expander: Goals, schema: SchemaObject, keyword: string, value: unknown): string[] {
  if (!Array.isArray(value) || value.some((one) => typeof one !== "string"))
    malformed(keyword, expander.document.pointer(schema), "it is a list of names");
  return value;
}

function parts(expander: Goals, schema: SchemaObject): Parts {
  const { use } = expander;
  const pointer = expander.document.pointer(schema);
  const goal = (value: unknown, keyword: string): Goal => expander.goal(value, schema, keyword);
  let names: Regex | undefined;
  if ("propertyNames" in schema) {
    const allowed = expander.expand(goal(schema.propertyNames, "propertyNames")).strings;
    names = allowed === use.strings.any ? undefined : use.r.and(use.strings.plain, allowed);
  }
  return {
    properties: new Map(
      byName(expander, schema, "properties").map(([name, one]) => [name, goal(one, "properties")]),
    ),
    patterns: byName(expander, schema, "patternProperties").map(([pattern, one]) => ({
      keys: patternExpression(use, pattern, "patternProperties", pointer),
      goal: goal(one, "patternProperties"),
    })),
    additional:
      "additionalProperties" in schema
        ? { goal: goal(schema.additionalProperties, "additionalProperties") }
        : undefined,
    required: "required" in schema ? strings(expander, schema, "required", schema.required) : [],
    names,
  };
}

/** The objects that the schema allows. */
export function objectShape(expander: Goals, schema: SchemaObject): ObjectShape[] {
  const { use } = expander;
  const { properties, patterns, additional, required, names } = parts(expander, schema);
  const [min, max] = counts(expander, schema, "minProperties", "maxProperties");
  const others: Clause[] = patterns.filter(({ goal }) => goal?.length !== 0);
  const everywhere: Clause[] = [...others];
  if (names) everywhere.push({ keys: use.otherStrings(names), goal: undefined });
  const named = new Map<string, Property>();
  for (const [name, goal] of properties) {
    const more = otherGoal(use, { ...ANY_OBJECT, others: everywhere }, name);
    named.set(name, { goal: both(goal, more), required: false });
  }
  if (additional && additional.goal?.length !== 0) {
    const rest = patterns.map(({ keys }) => keys);
    const keys = rest.length > 0 ? use.otherStrings(use.r.or(...rest)) : undefined;
    everywhere.push({ keys, goal: additional.goal });
  }
  const unnamed = { ...ANY_OBJECT, others: everywhere };
  for (const name of required) {
    const goal = named.has(name) ? named.get(name)!.goal : otherGoal(use, unnamed, name);
    if (!goal) return [];
    named.set(name, { goal, required: true });
  }
  if (min > max) return [];
  const seen = {
    names: new Set(properties.keys()),
    keys: patterns.map(({ keys }) => keys),
    all: additional !== undefined,
  };
  return [{ named, others: everywhere, some: [], min, max, seen }];
}

const withProperty = (name: string, property: Property): ObjectShape => ({
  ...ANY_OBJECT,
  named: new Map([[name, property]]),
});

const present = (name: string, goal: Goal = ANYTHING): ObjectShape =>
  withProperty(name, { goal, required: true });
const absent = (name: string): ObjectShape =>
  withProperty(name, { goal: undefined, required: false });

/** The objects that the schema's keywords rule out. */
export function objectFailures(expander: Goals, schema: SchemaObject): ObjectShape[] {
  const { use } = expander;
  const { properties, patterns, additional, required, names } = parts(expander, schema);
  const [min, max] = counts(expander, schema, "minProperties", "maxProperties");
  const out: ObjectShape[] = [];
  if (min > 0) out.push({ ...ANY_OBJECT, max: min - 1 });
  if (max < Number.POSITIVE_INFINITY) out.push({ ...ANY_OBJECT, min: max + 1 });
  for (const name of required) out.push(absent(name));
  for (const [name, goal] of properties) {
    const wrong = expander.fails(goal);
    if (wrong) out.push(present(name, wrong));
  }
  const some = (keys: Regex | undefined, goal: Goal): void => {
    if (goal) out.push({ ...ANY_OBJECT, some: [{ keys, goal }] });
  };
  for (const { keys, goal } of patterns) some(keys, expander.fails(goal));
  if (additional) {
    const known = [use.r.texts(Array.from(properties.keys(), (name) => use.strings.written(name)))];
    for (const { keys } of patterns) known.push(keys);
    some(use.otherStrings(use.r.or(...known)), expander.fails(additional.goal));
  }
  if (names) some(use.otherStrings(names), ANYTHING);
  return out;
}

/** The dependencies of the schema: where the property is there, so must these be, or that must hold. */
function* dependencies(
  expander: Goals,
  schema: SchemaObject,
): Generator<[name: string, needs: string[] | Goal, keyword: string]> {
  for (const keyword of ["dependentRequired", "dependentSchemas", "dependencies"])
    for (const [name, value] of byName(expander, schema, keyword))
      if (Array.isArray(value)) yield [name, strings(expander, schema, keyword, value), keyword];
      else if (typeof value === "string" && keyword === "dependencies")
        yield [name, [value], keyword];
      else yield [name, expander.goal(value, schema, keyword), keyword];
}

const isNames = (needs: string[] | Goal): needs is string[] =>
  needs !== undefined && needs.length > 0 && typeof needs[0] === "string";

/** What each dependency allows. */
export function* dependencyShapes(expander: Goals, schema: SchemaObject): Generator<Shape> {
  const { use } = expander;
  const objects = (...shapes: ObjectShape[]): Shape => ({ ...use.all, objects: shapes });
  for (const [name, needs] of dependencies(expander, schema)) {
    if (needs?.length === 0) continue;
    const without = objects(absent(name));
    const shape = isNames(needs)
      ? objects({
          ...ANY_OBJECT,
          named: new Map([name, ...needs].map((one) => [one, { goal: ANYTHING, required: true }])),
        })
      : expander.meet(objects(present(name)), expander.expand(needs), schema);
    yield { ...use.all, objects: [...without.objects, ...shape.objects] };
  }
}

/** What each dependency rules out. */
export function* dependencyFailures(expander: Goals, schema: SchemaObject): Generator<Shape> {
  const { use } = expander;
  for (const [name, needs] of dependencies(expander, schema)) {
    if (needs?.length === 0) continue;
    const there: Shape = { ...use.none, objects: [present(name)] };
    if (isNames(needs))
      for (const one of needs)
        yield expander.meet(there, { ...use.none, objects: [absent(one)] }, schema);
    else yield expander.meet(there, expander.expand(expander.fails(needs)), schema);
  }
}
