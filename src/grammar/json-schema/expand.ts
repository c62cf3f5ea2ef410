/** From goals to shapes: references, `allOf`, `anyOf`, `oneOf`, `not` and `if` are worked out. */

import { isObject, type Schema, type SchemaDocument, type SchemaObject } from "./document.ts";
import type { Expressions } from "./expressions.ts";
import type { Goals } from "./goals.ts";
import { Keywords } from "./keywords.ts";
import { join, meet } from "./merge.ts";
import { malformed, refuse } from "./refuse.ts";
import { ANYTHING, both, type Goal, type Literal, type Shape } from "./shape.ts";
import { addUnevaluated, withoutSeen } from "./unevaluated.ts";

/** Alternatives of one type, at most; what would have more is refused. */
const MOST_ALTERNATIVES = 600;
/** How many alternatives of an `anyOf` may be told apart by which of them were true together. */
const MOST_TOGETHER = 5;

export class Expander implements Goals {
  readonly use: Expressions;
  readonly document: SchemaDocument;
  /** Whether `format` is enforced. */
  readonly formats: boolean;
  readonly #keywords: Keywords;
  readonly #ids = new Map<SchemaObject, number>();
  readonly #shapes = new Map<string, Shape | "open">();
  readonly #empty = new Map<string, boolean>();

  constructor(use: Expressions, document: SchemaDocument, formats: boolean) {
    this.use = use;
    this.formats = formats;
    this.document = document;
    this.#keywords = new Keywords(this);
  }

  /** A name that equal goals share. */
  key(goal: Goal): string {
    return goal ? goal.map((one) => this.#literalKey(one)).join() : "none";
  }

  #literalKey({ schema, holds }: Literal): string {
    let id = this.#ids.get(schema);
    if (id === undefined) this.#ids.set(schema, (id = this.#ids.size));
    return `${holds ? "" : "-"}${id}`;
  }

  /** That a schema holds: the value of `keyword` of `of`. */
  goal(schema: unknown, of: SchemaObject, keyword: string): Goal {
    if (schema === true) return ANYTHING;
    if (schema === false) return undefined;
    if (!isObject(schema))
      malformed(keyword, this.document.pointer(of), "a schema is an object, true or false");
    return this.holds(schema);
  }

  holds(schema: Schema): Goal {
    if (schema === false) return undefined;
    if (schema === true || !this.#keywords.anyIn(schema)) return ANYTHING;
    return [{ schema, holds: true }];
  }

  /** That a goal of one schema or none does not hold. */
  fails(goal: Goal): Goal {
    if (!goal) return ANYTHING;
    if (goal.length === 0) return undefined;
    return [{ schema: goal[0].schema, holds: !goal[0].holds }];
  }

  /** What a goal allows. */
  expand(goal: Goal): Shape {
    const { use } = this;
    if (!goal) return use.none;
    if (goal.length === 0) return use.all;
    const key = this.key(goal);
    const known = this.#shapes.get(key);
    const first = goal[0].schema;
    if (known === "open")
      refuse("$ref", this.document.pointer(first), "it leads back to itself without an end");
    if (known) return known;
    this.#shapes.set(key, "open");
    let shape: Shape;
    try {
      shape =
        goal.length > 1
          ? goal.map((one) => this.expand([one])).reduce((a, b) => this.meet(a, b, first))
          : goal[0].holds
            ? this.#positive(first)
            : this.#negative(first);
    } catch (error) {
      this.#shapes.delete(key);
      throw error;
    }
    this.#shapes.set(key, shape);
    return shape;
  }

  meet(a: Shape, b: Shape, at: SchemaObject): Shape {
    if (a === this.use.all) return b;
    if (b === this.use.all) return a;
    const many = Math.max(a.objects.length * b.objects.length, a.arrays.length * b.arrays.length);
    if (many > 20 * MOST_ALTERNATIVES) this.#tooMany(at);
    return this.#bounded(meet(this.use, a, b), at);
  }

  join(a: Shape, b: Shape, at: SchemaObject): Shape {
    return this.#bounded(join(this.use, a, b), at);
  }

  #bounded(shape: Shape, at: SchemaObject): Shape {
    if (Math.max(shape.objects.length, shape.arrays.length) > MOST_ALTERNATIVES) this.#tooMany(at);
    return shape;
  }

  #tooMany(at: SchemaObject): never {
    const keyword = ["oneOf", "anyOf", "not", "allOf"].find((one) => one in at) ?? "allOf";
    refuse(keyword, this.document.pointer(at), "it has too many cases; say which ones are wanted");
  }

  /** What the goals together allow, each for itself. */
  any(goals: readonly Goal[], at: SchemaObject): Shape {
    let shape = this.use.none;
    for (const goal of goals) shape = this.join(shape, this.expand(goal), at);
    return shape;
  }

  /** Whether nothing meets the goal, so far as that is seen; `true` is certain. */
  isEmpty(goal: Goal): boolean {
    if (!goal) return true;
    if (goal.length === 0) return false;
    const key = this.key(goal);
    const known = this.#empty.get(key);
    if (known !== undefined) return known;
    this.#empty.set(key, false);
    const shape = this.expand(goal);
    const { use } = this;
    const empty =
      !(shape.null || shape.true || shape.false) &&
      shape.objects.every((one) => {
        if (one.min > one.max) return true;
        for (const { goal, required } of one.named.values())
          if (required && this.isEmpty(goal)) return true;
        return false;
      }) &&
      shape.arrays.every((one) => {
        for (let i = 0; i < Math.min(one.min, one.prefix.length + 1); i++)
          if (this.isEmpty(i < one.prefix.length ? one.prefix[i] : one.rest)) return true;
        return false;
      }) &&
      !use.alive(shape.numbers) &&
      !use.alive(shape.strings);
    this.#empty.set(key, empty);
    return empty;
  }

  /** What the schema allows; its keywords in the order in which they stand, for the properties' sake. */
  #positive(schema: SchemaObject): Shape {
    const { document } = this;
    if (document.refAlone && "$ref" in schema)
      return this.expand(this.holds(document.resolve(schema, "$ref")));
    let shape = this.use.all;
    let own = false;
    const keys = Object.keys(schema);
    const ownAt = "properties" in schema ? "properties" : undefined;
    const add = (other: Shape): void => {
      shape = this.meet(shape, other, schema);
    };
    const addOwn = (): void => {
      if (own) return;
      own = true;
      for (const part of this.#keywords.shapes(schema)) add(part);
    };
    for (const key of keys) {
      const value = schema[key];
      if (key === ownAt || (!ownAt && this.#keywords.has(key))) addOwn();
      if (key === "$ref") add(this.expand(this.holds(document.resolve(schema, key))));
      else if (key === "$dynamicRef" || key === "$recursiveRef") add(this.#dynamic(schema, key));
      else if (key === "allOf") for (const goal of this.#list(schema, key)) add(this.expand(goal));
      else if (key === "anyOf") add(this.#anyOf(schema, this.#list(schema, key)));
      else if (key === "oneOf") add(this.#oneOf(schema, this.#list(schema, key)));
      else if (key === "not") add(this.expand(this.fails(this.goal(value, schema, key))));
      else if (key === "if") add(this.any(this.#branches(schema), schema));
    }
    addOwn();
    return document.unevaluated ? addUnevaluated(this, shape, schema) : shape;
  }

  /** What the schema does not allow. */
  #negative(schema: SchemaObject): Shape {
    const { document } = this;
    if (document.refAlone && "$ref" in schema)
      return this.expand(this.fails(this.holds(document.resolve(schema, "$ref"))));
    let shape = this.use.none;
    const add = (...goals: Goal[]): void => {
      shape = this.join(shape, this.any(goals, schema), schema);
    };
    for (const part of this.#keywords.failures(schema)) shape = this.join(shape, part, schema);
    for (const key of Object.keys(schema)) {
      const value = schema[key];
      if (key === "$ref") add(this.fails(this.holds(document.resolve(schema, key))));
      else if (key.startsWith("unevaluated") || key === "$dynamicRef" || key === "$recursiveRef")
        refuse(key, document.pointer(schema), "it stands where its opposite is asked for");
      else if (key === "allOf") add(...this.#list(schema, key).map((one) => this.fails(one)));
      else if (key === "anyOf") add(this.#none(this.#list(schema, key)));
      else if (key === "oneOf") {
        const goals = this.#list(schema, key);
        add(this.#none(goals));
        goals.forEach((a, i) => {
          for (const b of goals.slice(i + 1)) add(both(a, b));
        });
      } else if (key === "not") add(this.goal(value, schema, key));
      else if (key === "if") {
        const test = this.goal(value, schema, key);
        const [then, otherwise] = this.#results(schema);
        add(both(test, this.fails(then)), both(this.fails(test), this.fails(otherwise)));
      }
    }
    return document.unevaluated ? withoutSeen(shape) : shape;
  }

  #none(goals: readonly Goal[]): Goal {
    return goals.map((one) => this.fails(one)).reduce(both, ANYTHING);
  }

  #list(schema: SchemaObject, keyword: string): Goal[] {
    const list = schema[keyword];
    if (!Array.isArray(list))
      malformed(keyword, this.document.pointer(schema), "it is a list of schemas");
    return list.map((one) => this.goal(one, schema, keyword));
  }

  #results(schema: SchemaObject): [Goal, Goal] {
    const of = (key: string): Goal =>
      key in schema ? this.goal(schema[key], schema, key) : ANYTHING;
    return [of("then"), of("else")];
  }

  #branches(schema: SchemaObject): Goal[] {
    const test = this.goal(schema.if, schema, "if");
    const [then, otherwise] = this.#results(schema);
    if (then?.length === 0 && otherwise?.length === 0 && !this.document.unevaluated)
      return [ANYTHING];
    return [both(test, then), both(this.fails(test), otherwise)];
  }

  #anyOf(schema: SchemaObject, goals: readonly Goal[]): Shape {
    if (!this.document.unevaluated) return this.any(goals, schema);
    // Which of them are true together decides what counts as evaluated.
    if (goals.length > MOST_TOGETHER)
      refuse(
        "anyOf",
        this.document.pointer(schema),
        "it is too long beside unevaluated properties",
      );
    const together: Goal[] = [];
    for (let set = 1; set < 1 << goals.length; set++)
      together.push(goals.filter((_, i) => (set >> i) & 1).reduce(both, ANYTHING));
    return this.any(together, schema);
  }

  /** One holds and the others fail; those that cannot hold beside it need not be asked. */
  #oneOf(schema: SchemaObject, goals: readonly Goal[]): Shape {
    const alone = goals.map((goal, i) => {
      let out = goal;
      goals.forEach((other, j) => {
        if (i !== j && !this.isEmpty(both(goal, other))) out = both(out, this.fails(other));
      });
      return out;
    });
    return this.any(alone, schema);
  }

  /** A dynamic reference is a plain one where no other schema could be meant. */
  #dynamic(schema: SchemaObject, key: string): Shape {
    if (!this.document.isStatic(schema[key]))
      refuse(key, this.document.pointer(schema), "which schema is meant depends on the way there");
    return this.expand(this.holds(this.document.resolve(schema, key)));
  }
}
