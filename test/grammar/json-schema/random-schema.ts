/** Random schemas of all supported keywords, the same for the same random numbers. */
import { random as randomBelow } from "../../fuzz/mutate.ts";

type Schema = Record<string, unknown> | boolean;

const NAMES = ["a", "b", "c1", "näme", 'q"'];
const WORDS = ["", "x", "yes", "né", '"', "tab\t", "12"];
const PATTERNS = ["^a", "b$", "^[a-c]{1,3}$", "x|^y", "^\\d+$", "[^a-z]", "^(?!x).{0,3}$"];
const FORMATS = ["date", "time", "date-time", "ipv4", "uuid", "duration", "json-pointer"];

export interface RandomSchemaOptions {
  /** Strings, lists and objects end by themselves soon. */
  readonly bounded?: boolean;
}

export function randomSchema(seed: number, { bounded = false }: RandomSchemaOptions = {}): Schema {
  const below = randomBelow(seed);
  const chance = (share: number): boolean => below(1000) < 1000 * share;
  const pick = <T>(list: readonly T[]): T => list[below(list.length)];
  const some = <T>(list: readonly T[]): T[] => list.filter(() => chance(0.5));

  const scalar = (): unknown =>
    pick<() => unknown>([
      () => pick(WORDS),
      () => below(200) - 100,
      () => (below(400) - 200) / 8,
      () => null,
      () => chance(0.5),
    ])();
  const value = (depth: number): unknown =>
    depth === 0 || chance(0.7)
      ? scalar()
      : chance(0.5)
        ? Array.from({ length: below(3) }, () => value(depth - 1))
        : Object.fromEntries(some(NAMES).map((name) => [name, value(depth - 1)]));

  const number = (): Schema => {
    const type = pick(["integer", "number"]);
    const out: Record<string, unknown> = { type };
    const low = (below(400) - 200) / (type === "integer" ? 1 : 8);
    if (bounded || chance(0.6)) out[pick(["minimum", "exclusiveMinimum"])] = low;
    if (bounded || chance(0.6)) out[pick(["maximum", "exclusiveMaximum"])] = low + 1 + below(1000);
    if (bounded || chance(0.3)) out.multipleOf = type === "integer" ? 1 + below(12) : 0.125;
    return out;
  };
  const string = (): Schema => {
    const out: Record<string, unknown> = { type: "string" };
    if (chance(0.2)) return { ...out, enum: [...new Set([pick(WORDS), pick(WORDS)])] };
    if (chance(0.2)) return { ...out, format: pick(bounded ? ["date", "ipv4", "uuid"] : FORMATS) };
    if (chance(0.4)) out.pattern = pick(PATTERNS);
    if (chance(0.4)) out.minLength = below(4);
    if (bounded || chance(0.4)) out.maxLength = 3 + below(6);
    return out;
  };
  const array = (depth: number): Schema => {
    const out: Record<string, unknown> = { type: "array" };
    if (bounded || chance(0.8)) out.items = schema(depth - 1);
    if (chance(0.3)) out.prefixItems = [schema(depth - 1), schema(depth - 1)];
    if (chance(0.4)) out.minItems = below(3);
    if (bounded || chance(0.4)) out.maxItems = 2 + below(3);
    if (chance(0.2)) {
      out.contains = schema(depth - 1);
      if (chance(0.5)) out.minContains = 1 + below(2);
    }
    if (chance(0.15))
      return {
        type: "array",
        items: { enum: ["x", 1, null] },
        uniqueItems: true,
        minItems: below(3),
      };
    return out;
  };
  const object = (depth: number): Schema => {
    const names = some(NAMES);
    const out: Record<string, unknown> = { type: "object" };
    out.properties = Object.fromEntries(names.map((name) => [name, schema(depth - 1)]));
    if (chance(0.7)) out.required = some(names);
    if (chance(0.2)) {
      const names = bounded ? ["^a.?$", "^.?1$", "^x{1,3}$"] : ["^a", "1$", "x"];
      out.patternProperties = { [pick(names)]: schema(0) };
      // Such properties may come again and again.
      if (bounded) out.maxProperties = 4;
    }
    if (bounded || chance(0.6)) out.additionalProperties = false;
    else if (chance(0.5)) out.additionalProperties = schema(0);
    if (chance(0.1)) out.propertyNames = { minLength: 1, maxLength: 4 };
    if (chance(0.15)) out.minProperties = 1;
    if (chance(0.15)) out.maxProperties = 2;
    if (chance(0.15)) out.dependentRequired = { [pick(NAMES)]: [pick(NAMES)] };
    if (chance(0.1)) out.dependentSchemas = { [pick(NAMES)]: { required: [pick(NAMES)] } };
    return out;
  };
  const schema = (depth: number): Schema => {
    if (depth > 0 && chance(0.25)) {
      const list = (): Schema[] => Array.from({ length: 2 }, () => schema(depth - 1));
      return pick<() => Schema>([
        () => ({ anyOf: list() }),
        () => ({ oneOf: list() }),
        () => ({ allOf: [object(depth), { required: [pick(NAMES)] }] }),
        () => ({ ...(object(depth) as object), not: { required: [pick(NAMES)] } }),
        () => ({ ...(number() as object), not: { const: below(20) } }),
        () =>
          Object.fromEntries([
            ["if", { type: "string" }],
            // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
            ["then", string()],
            ["else", schema(depth - 1)],
          ]),
        () => ({ $ref: "#/$defs/shared" }),
      ])();
    }
    const kinds = [number, string, () => ({ enum: [value(1), value(2), value(0)] })];
    if (depth > 0)
      kinds.push(
        () => array(depth),
        () => object(depth),
        () => object(depth),
      );
    else
      kinds.push(() => ({
        type: pick(["boolean", "null", "integer"]),
        ...(bounded && { minimum: -99, maximum: 9999 }),
      }));
    if (!bounded && chance(0.05)) return true;
    return pick(kinds)();
  };
  const root = object(2) as Record<string, unknown>;
  return { ...root, $defs: { shared: pick([number, string])() } };
}
