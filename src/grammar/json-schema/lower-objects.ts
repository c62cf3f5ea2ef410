/**
 * Objects as rules. The properties that have names come in their order, then all others. A rule
 * stands for "a property from here on must come", another for what may come after one.
 */
import type { Alternative, RuleTerm, Term } from "../grammar.ts";
import type { Regex } from "../regex/regex.ts";
import type { Notation, Rules } from "./rules.ts";
import { both, type Clause, type Goal, type ObjectShape } from "./shape.ts";

/** How many kinds of other properties an object may have, by the patterns that they match. */
const MOST_KINDS = 64;
/** States of an object whose properties are counted. */
const MOST_STATES = 5000;

/** @param notation other than JSON's */
export function objectAlternatives(
  lowering: Rules,
  shape: ObjectShape,
  notation?: Notation,
): Alternative[] {
  return new ObjectRules(lowering, shape, notation).alternatives();
}

interface Kind {
  readonly keys: Regex;
  readonly goal: Goal;
}

class ObjectRules {
  readonly #lowering: Rules;
  readonly #shape: ObjectShape;
  readonly #names: { name: string; goal: Goal; required: boolean }[] = [];
  /** Required properties from each on. */
  readonly #required: number[];
  readonly #others: Kind[];
  readonly #items = new Map<string, RuleTerm>();
  readonly #notation: Notation;
  readonly #min: number;
  readonly #max: number;
  readonly #cap: number;

  constructor(lowering: Rules, shape: ObjectShape, notation?: Notation) {
    this.#lowering = lowering;
    this.#shape = shape;
    for (const [name, { goal, required }] of shape.named)
      if (goal || required) this.#names.push({ name, goal, required });
    this.#notation = notation ?? {
      open: lowering.mark("{"),
      comma: lowering.mark(","),
      close: lowering.end("}"),
      others: true,
      property: (name, goal) => [[this.#key(this.#text(name)), lowering.value(goal)]],
    };
    this.#others = this.#notation.others ? this.#kinds() : [];
    this.#required = [0];
    for (const { required } of [...this.#names].reverse())
      this.#required.unshift(this.#required[0] + (required ? 1 : 0));
    // What cannot be missed need not be counted.
    this.#min = shape.min > this.#required[0] ? shape.min : 0;
    const most = this.#others.length > 0 ? Number.POSITIVE_INFINITY : this.#names.length;
    this.#max = shape.max < most ? shape.max : Number.POSITIVE_INFINITY;
    this.#cap = this.#max < Number.POSITIVE_INFINITY ? this.#max : this.#min;
    const { length } = this.#names;
    if (length * this.#cap > MOST_STATES)
      lowering.refuse(this.#min > 0 ? "minProperties" : "maxProperties", "the count is too large");
    if (shape.some.length > 1 || (shape.some.length > 0 && this.#cap > 0))
      lowering.refuse("not", "more than one thing is asked of properties without a name");
  }

  alternatives(): Alternative[] {
    const out: Alternative[] = [];
    if (this.#required[0] > this.#max) return out;
    if (this.#mayEnd(0, 0)) out.push([this.#notation.open, this.#notation.close]);
    if (this.#mayGoOn(0, 0)) out.push([this.#notation.open, this.#next(0, 0)]);
    return out;
  }

  #mayEnd(from: number, count: number): boolean {
    return this.#required[from] === 0 && count >= this.#min && this.#shape.some.length === 0;
  }

  #mayGoOn(from: number, count: number): boolean {
    const left = from < this.#names.length || this.#others.length > 0;
    return left && count + Math.max(1, this.#required[from]) <= this.#max;
  }

  /** A property of those from `from` on, and all after it. */
  #next(from: number, count: number): RuleTerm {
    const key = `${from},${count}`;
    const known = this.#items.get(key);
    if (known) return known;
    const rule = this.#lowering.rule();
    this.#items.set(key, rule);
    const { builder } = this.#lowering;
    if (from === this.#names.length) return builder.define(rule, ...this.#lastAlternatives(count));
    const { name, goal, required } = this.#names[from];
    const after = Math.min(count + 1, this.#cap);
    const pairs = this.#notation.property(name, goal);
    const ends: Alternative[] = [];
    if (this.#mayEnd(from + 1, after)) ends.push([this.#notation.close]);
    if (this.#mayGoOn(from + 1, after))
      ends.push([this.#notation.comma, this.#next(from + 1, after)]);
    for (const pair of pairs) for (const end of ends) builder.define(rule, [...pair, ...end]);
    if (!required && this.#mayGoOn(from + 1, count))
      builder.define(rule, [this.#next(from + 1, count)]);
    return rule;
  }

  /** The properties without a name, at least one, and the end. */
  #lastAlternatives(count: number): Alternative[] {
    const { builder } = this.#lowering;
    const [witness] = this.#shape.some;
    const other = this.#property(this.#others);
    if (witness) {
      const wanted = this.#property(this.#kindsWithin(this.#others, witness));
      const before = builder.repeat(builder.sequence(other, this.#notation.comma), 0);
      const behind = builder.repeat(builder.sequence(this.#notation.comma, other), 0);
      return [[before, wanted, behind, this.#notation.close]];
    }
    const min = Math.max(0, this.#min - count - 1);
    // Nothing keeps a key from being written twice, so that no more than one counts for sure.
    if (min > 0)
      this.#lowering.refuse(
        "minProperties",
        "properties without a name would have to be told apart",
      );
    const more = builder.repeat(
      builder.sequence(this.#notation.comma, other),
      0,
      this.#max - count - 1,
    );
    return [[other, more, this.#notation.close]];
  }

  #property(kinds: readonly Kind[]): Term {
    const { builder } = this.#lowering;
    return builder.choice(
      ...kinds.map(({ keys, goal }) => [this.#key(keys), this.#lowering.value(goal)]),
    );
  }

  #key(keys: Regex): Term {
    const { r } = this.#lowering.expander.use;
    const quote = r.text('"');
    return this.#lowering.builder.lexeme(r.concat(quote, keys, r.text('":'), this.#lowering.space));
  }

  #text(name: string): Regex {
    const { r, strings } = this.#lowering.expander.use;
    return r.text(strings.written(name));
  }

  /** The kinds of properties without a name, each with what holds of it. */
  #kinds(): Kind[] {
    const { use } = this.#lowering.expander;
    const { named, others } = this.#shape;
    if (others.some(({ keys, goal }) => !keys && !goal)) return [];
    let keys = use.strings.plain;
    if (named.size > 0)
      keys = use.otherStrings(
        use.r.texts(Array.from(named.keys(), (name) => use.strings.written(name))),
      );
    let kinds: Kind[] = [{ keys, goal: [] }];
    for (const clause of others)
      kinds = [...this.#kindsWithin(kinds, clause), ...this.#kindsOutside(kinds, clause)];
    if (kinds.length > MOST_KINDS)
      this.#lowering.refuse("patternProperties", "too many patterns overlap");
    return kinds;
  }

  #kindsWithin(kinds: readonly Kind[], { keys, goal }: Clause): Kind[] {
    const { use } = this.#lowering.expander;
    return kinds.flatMap((kind) => {
      const wanted = both(kind.goal, goal);
      if (!wanted) return [];
      const within = keys ? use.r.and(kind.keys, keys) : kind.keys;
      return use.alive(within) ? [{ keys: within, goal: wanted }] : [];
    });
  }

  #kindsOutside(kinds: readonly Kind[], { keys }: Clause): Kind[] {
    const { use } = this.#lowering.expander;
    if (!keys) return [];
    return kinds.flatMap((kind) => {
      const outside = use.r.and(kind.keys, use.r.not(keys));
      return use.alive(outside) ? [{ keys: outside, goal: kind.goal }] : [];
    });
  }
}
