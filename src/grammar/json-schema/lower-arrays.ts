/** Arrays as rules: item by item, with what has to be counted or remembered of the ones before. */
import type { Alternative, RuleTerm, Term } from "../grammar.ts";
import type { Rules } from "./rules.ts";
import { type ArrayShape, both, type Goal } from "./shape.ts";

/** States of an array with `contains`, and different items of one with `uniqueItems`. */
const MOST_STATES = 2000;
const MOST_DIFFERENT = 8;

export function arrayAlternatives(lowering: Rules, shape: ArrayShape): Alternative[] {
  const rules = new ArrayRules(lowering, shape);
  if (shape.unique && shape.max > 1) return rules.unique();
  return shape.contains.length > 0 ? rules.containing() : rules.plain();
}

const itemGoal = ({ prefix, rest }: ArrayShape, i: number): Goal =>
  i < prefix.length ? prefix[i] : rest;

class ArrayRules {
  readonly #lowering: Rules;
  readonly #shape: ArrayShape;
  readonly #open: Term;
  readonly #comma: Term;
  readonly #close: Term;

  constructor(lowering: Rules, shape: ArrayShape) {
    this.#lowering = lowering;
    this.#shape = shape;
    this.#open = lowering.mark("[");
    this.#comma = lowering.mark(",");
    this.#close = lowering.end("]");
  }

  /** Nothing but its items and how many there are. */
  plain(): Alternative[] {
    const { builder } = this.#lowering;
    const { prefix, rest, min, max } = this.#shape;
    const first = Math.min(prefix.length, max);
    // What follows the items before the i-th, from the last to the first.
    let next: Term | undefined;
    if (max > first) {
      const item = this.#lowering.value(rest);
      const more = builder.sequence(this.#comma, item);
      next = builder.define(this.#lowering.rule(), [
        item,
        builder.repeat(more, Math.max(0, min - first - 1), max - first - 1),
        this.#close,
      ]);
    }
    for (let i = first; i-- > 0; ) {
      const rule = this.#lowering.rule();
      const item = this.#lowering.value(prefix[i]);
      if (i + 1 >= min) builder.define(rule, [item, this.#close]);
      if (next) builder.define(rule, [item, this.#comma, next]);
      next = rule;
    }
    return this.#whole(min === 0, next);
  }

  #whole(mayBeEmpty: boolean, items: Term | undefined): Alternative[] {
    const out: Alternative[] = [];
    if (mayBeEmpty) out.push([this.#open, this.#close]);
    if (items) out.push([this.#open, items]);
    return out;
  }

  /** With `contains`: how many of each were there. */
  containing(): Alternative[] {
    const { min, max, prefix, contains } = this.#shape;
    const end = Math.max(prefix.length, min, max < Number.POSITIVE_INFINITY ? max : 0);
    const caps = contains.map((one) => (one.max < Number.POSITIVE_INFINITY ? one.max : one.min));
    const states = caps.reduce((all, cap) => all * (cap + 1), end + 1);
    if (states > MOST_STATES || contains.length > 4)
      this.#lowering.refuse("contains", "what has to be counted is too much");
    const ends = (i: number, counts: readonly number[]): boolean =>
      i >= min && contains.every((one, k) => counts[k] >= one.min);
    const { expander } = this.#lowering;
    return this.#states([0, ...caps.map(() => 0)], ([i, ...counts]) => ({
      ends: ends(i, counts),
      items:
        i >= max
          ? []
          : subsets(contains.length).flatMap((wanted) => {
              let goal = itemGoal(this.#shape, i);
              const after = [...counts];
              for (const [k, one] of contains.entries()) {
                const limited = one.max < Number.POSITIVE_INFINITY;
                if (wanted[k]) {
                  if (limited && counts[k] >= one.max) return [];
                  goal = both(goal, one.goal);
                  after[k] = Math.min(counts[k] + 1, caps[k]);
                } else if (limited) goal = both(goal, expander.fails(one.goal));
              }
              return goal ? [{ goal, after: [Math.min(i + 1, end), ...after] }] : [];
            }),
    }));
  }

  /** With `uniqueItems`: which of few values were there. */
  unique(): Alternative[] {
    const { unique, contains, prefix, rest, min, max } = this.#shape;
    const { expander, builder } = this.#lowering;
    const why = (what: string): never => this.#lowering.refuseAt("uniqueItems", unique!, what);
    if (contains.length > 0) why("it stands beside contains");
    const shape = expander.expand(rest);
    const scalar = this.#lowering.scalar(rest);
    const words =
      prefix.length === 0 && shape.arrays.length + shape.objects.length === 0
        ? scalar
          ? expander.use.words(scalar, MOST_DIFFERENT)
          : []
        : undefined;
    if (!words) return why("items can be told apart only where there are few, as by enum");
    return this.#states([0], ([seen]) => {
      const count = words.filter((_, i) => (seen >> i) & 1).length;
      return {
        ends: count >= min,
        items:
          count >= max
            ? []
            : words.flatMap((word, i) =>
                (seen >> i) & 1 ? [] : [{ term: builder.literal(word), after: [seen | (1 << i)] }],
              ),
      };
    });
  }

  /** An array as states between its items. */
  #states(
    start: readonly number[],
    of: (state: readonly number[]) => {
      ends: boolean;
      items: readonly { goal?: Goal; term?: Term; after: readonly number[] }[];
    },
  ): Alternative[] {
    const { builder } = this.#lowering;
    const rules = new Map<string, RuleTerm>();
    const next = (state: readonly number[]): RuleTerm => {
      const key = state.join();
      const known = rules.get(key);
      if (known) return known;
      const rule = this.#lowering.rule();
      rules.set(key, rule);
      for (const { goal, term, after } of of(state).items) {
        const item = term ?? this.#lowering.value(goal);
        const { ends, items } = of(after);
        if (ends) builder.define(rule, [item, this.#close]);
        if (items.length > 0) builder.define(rule, [item, this.#comma, next(after)]);
      }
      return rule;
    };
    const { ends, items } = of(start);
    return this.#whole(ends, items.length > 0 ? next(start) : undefined);
  }
}

function subsets(count: number): boolean[][] {
  return Array.from({ length: 1 << count }, (_, set) =>
    Array.from({ length: count }, (_, i) => ((set >> i) & 1) === 1),
  );
}
