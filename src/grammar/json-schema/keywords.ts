/** The keywords that say something by themselves: what they allow, and what they rule out. */
import type { Regex } from "../regex/regex.ts";
import { arrayFailures, arrayShape } from "./arrays.ts";
import { isObject, type SchemaObject } from "./document.ts";
import type { Goals } from "./goals.ts";
import { failingNumbers, numbersOf } from "./number-keywords.ts";
import { plainDecimal } from "./numbers.ts";
import { dependencyFailures, dependencyShapes, objectFailures, objectShape } from "./objects.ts";
import { malformed } from "./refuse.ts";
import { both, type Goal, type Shape } from "./shape.ts";
import { failingStrings, stringsOf } from "./string-keywords.ts";

const SCALAR = ["type", "enum", "const"];
const NUMBER = [
  "minimum",
  "maximum",
  "exclusiveMinimum",
  "exclusiveMaximum",
  "multipleOf",
  "format",
];
const STRING = ["minLength", "maxLength", "pattern", "format"];
const ARRAY = [
  ...["items", "prefixItems", "additionalItems", "minItems", "maxItems"],
  ...["contains", "minContains", "maxContains", "uniqueItems"],
];
const OBJECT = [
  ...["properties", "patternProperties", "additionalProperties", "required"],
  ...["propertyNames", "minProperties", "maxProperties"],
];
const DEPENDENCIES = ["dependentRequired", "dependentSchemas", "dependencies"];
const OWN = new Set([...SCALAR, ...NUMBER, ...STRING, ...ARRAY, ...OBJECT, ...DEPENDENCIES]);
const IN_PLACE = new Set([
  ...["$ref", "$dynamicRef", "$recursiveRef", "allOf", "anyOf", "oneOf", "not", "if"],
  ...["unevaluatedProperties", "unevaluatedItems"],
]);

const TYPES = ["null", "boolean", "number", "integer", "string", "array", "object"];

export class Keywords {
  readonly #expander: Goals;

  constructor(expander: Goals) {
    this.#expander = expander;
  }

  /** Whether the keyword says something by itself. */
  has(keyword: string): boolean {
    return OWN.has(keyword);
  }

  /** Whether anything is asked by the schema. */
  anyIn(schema: SchemaObject): boolean {
    return Object.keys(schema).some((key) => OWN.has(key) || IN_PLACE.has(key));
  }

  /** What the schema's own keywords allow, as shapes that must all be met. */
  *shapes(schema: SchemaObject): Generator<Shape> {
    const { use } = this.#expander;
    const all = use.all;
    const some = (list: readonly string[]): boolean => list.some((key) => key in schema);
    let shape: Shape = all;
    if (some(NUMBER)) shape = { ...shape, numbers: numbersOf(this.#expander, schema) };
    if (some(STRING)) shape = { ...shape, strings: stringsOf(this.#expander, schema) };
    if (some(ARRAY)) shape = { ...shape, arrays: arrayShape(this.#expander, schema) };
    if (some(OBJECT)) shape = { ...shape, objects: objectShape(this.#expander, schema) };
    if ("type" in schema) {
      const types = this.#types(schema);
      const has = (type: string): boolean => types.includes(type);
      const { integer } = use.numbers;
      const whole = shape.numbers === use.numbers.any ? integer : use.r.and(integer, shape.numbers);
      shape = {
        ...{ null: has("null"), true: has("boolean"), false: has("boolean") },
        numbers: has("number") ? shape.numbers : has("integer") ? whole : use.r.never,
        strings: has("string") ? shape.strings : use.r.never,
        arrays: has("array") ? shape.arrays : [],
        objects: has("object") ? shape.objects : [],
      };
    }
    yield shape;
    if ("const" in schema) yield this.#oneOfValues([schema.const], schema);
    if ("enum" in schema) yield this.#oneOfValues(this.#enum(schema), schema);
    if (some(DEPENDENCIES)) yield* dependencyShapes(this.#expander, schema);
  }

  /** What each of the schema's own keywords rules out. */
  *failures(schema: SchemaObject): Generator<Shape> {
    const { use } = this.#expander;
    const { none } = use;
    const some = (list: readonly string[]): boolean => list.some((key) => key in schema);
    if ("type" in schema) {
      const types = this.#types(schema);
      const lacks = (type: string): boolean => !types.includes(type);
      const { any, integer } = use.numbers;
      const fractions = lacks("integer") ? any : use.otherNumbers(integer);
      yield {
        ...{ null: lacks("null"), true: lacks("boolean"), false: lacks("boolean") },
        numbers: lacks("number") ? fractions : use.r.never,
        strings: lacks("string") ? use.strings.any : use.r.never,
        arrays: lacks("array") ? use.all.arrays : [],
        objects: lacks("object") ? use.all.objects : [],
      };
    }
    if (some(NUMBER)) yield { ...none, numbers: failingNumbers(this.#expander, schema) };
    if (some(STRING)) yield { ...none, strings: failingStrings(this.#expander, schema) };
    if (some(ARRAY)) yield { ...none, arrays: arrayFailures(this.#expander, schema) };
    if (some(OBJECT)) yield { ...none, objects: objectFailures(this.#expander, schema) };
    if ("const" in schema) yield this.#noneOfValues([schema.const], schema);
    if ("enum" in schema) yield this.#noneOfValues(this.#enum(schema), schema);
    if (some(DEPENDENCIES)) yield* dependencyFailures(this.#expander, schema);
  }

  #types(schema: SchemaObject): string[] {
    const given = schema.type;
    const types = Array.isArray(given) ? given : [given];
    for (const type of types)
      if (!TYPES.includes(type))
        malformed(
          "type",
          this.#expander.document.pointer(schema),
          `${JSON.stringify(type)} is none of ${TYPES.join(", ")}`,
        );
    return types;
  }

  #enum(schema: SchemaObject): unknown[] {
    if (!Array.isArray(schema.enum))
      malformed("enum", this.#expander.document.pointer(schema), "it is a list of values");
    return schema.enum;
  }

  #oneOfValues(values: readonly unknown[], at: SchemaObject): Shape {
    const { use } = this.#expander;
    const scalars: Shape = {
      ...use.none,
      null: values.includes(null),
      true: values.includes(true),
      false: values.includes(false),
      numbers: use.r.texts(numbersIn(values).map(plainDecimal)),
      strings: this.#texts(values),
    };
    return this.#expander.join(scalars, this.#expander.any(this.#exact(values, at), at), at);
  }

  #noneOfValues(values: readonly unknown[], at: SchemaObject): Shape {
    const { use } = this.#expander;
    const fails = this.#exact(values, at)
      .map((one) => this.#expander.fails(one))
      .reduce(both, []);
    const other = this.#expander.expand(fails);
    const numbers = numbersIn(values);
    const strings = values.filter((one) => typeof one === "string");
    return {
      null: !values.includes(null),
      true: !values.includes(true),
      false: !values.includes(false),
      numbers: numbers.length
        ? use.otherNumbers(use.r.or(...numbers.map((one) => use.numbers.equal(one))))
        : use.numbers.any,
      strings: strings.length ? use.otherStrings(this.#texts(values)) : use.strings.any,
      arrays: other.arrays,
      objects: other.objects,
    };
  }

  /** The lists and objects among the values, each as a schema that nothing else meets. */
  #exact(values: readonly unknown[], at: SchemaObject): Goal[] {
    const goals: Goal[] = [];
    for (const value of values) {
      let schema: SchemaObject;
      if (Array.isArray(value))
        schema = {
          type: "array",
          prefixItems: value.map((one) => this.#constant(one, at)),
          items: false,
          minItems: value.length,
        };
      else if (isObject(value)) {
        const names = Object.keys(value);
        schema = {
          type: "object",
          properties: Object.fromEntries(
            names.map((name) => [name, this.#constant(value[name], at)]),
          ),
          required: names,
          additionalProperties: false,
        };
      } else continue;
      this.#expander.document.place(schema, at);
      goals.push(this.#expander.holds(schema));
    }
    return goals;
  }

  #texts(values: readonly unknown[]): Regex {
    const { r, strings } = this.#expander.use;
    return r.texts(
      values.filter((one) => typeof one === "string").map((one) => strings.written(one)),
    );
  }

  #constant(value: unknown, at: SchemaObject): SchemaObject {
    const schema = { const: value };
    this.#expander.document.place(schema, at);
    return schema;
  }
}

const numbersIn = (values: readonly unknown[]): number[] =>
  values.filter((one) => typeof one === "number");
