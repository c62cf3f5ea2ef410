/** Shapes met and joined: what both allow, and what either allows. */
import type { Regex, RegexBuilder } from "../regex/regex.ts";
import type { Expressions } from "./expressions.ts";
import {
  type ArrayShape,
  both,
  type Clause,
  type Goal,
  type ObjectShape,
  type Property,
  type Seen,
  type Shape,
} from "./shape.ts";

/** What holds of a property that the shape does not name. */
export function otherGoal(use: Expressions, shape: ObjectShape, name: string): Goal {
  let goal: Goal = [];
  for (const { keys, goal: asked } of shape.others)
    if (use.keyMatches(keys, name)) goal = both(goal, asked);
  return goal;
}

/** Objects that both shapes allow. */
export function meetObjects(use: Expressions, a: ObjectShape, b: ObjectShape): ObjectShape[] {
  const named = new Map<string, Property>();
  for (const [name, one] of a.named) {
    const other = b.named.get(name);
    const goal = both(one.goal, other ? other.goal : otherGoal(use, b, name));
    named.set(name, { goal, required: one.required || !!other?.required });
  }
  for (const [name, { goal, required }] of b.named)
    if (!a.named.has(name))
      named.set(name, { goal: both(otherGoal(use, a, name), goal), required });
  const met: ObjectShape = {
    named,
    others: [...a.others, ...b.others.filter((one) => !includesClause(a.others, one))],
    some: [...a.some, ...b.some],
    min: Math.max(a.min, b.min),
    max: Math.min(a.max, b.max),
    seen: joinSeen(a.seen, b.seen),
  };
  const out = [met];
  // A property that only one of them names may be what the other wants some of.
  for (const [from, names] of [
    [a, b],
    [b, a],
  ] as const)
    for (const clause of from.some)
      for (const name of names.named.keys())
        if (!from.named.has(name) && use.keyMatches(clause.keys, name)) {
          const goal = both(named.get(name)!.goal, clause.goal);
          const with_ = new Map(named).set(name, { goal, required: true });
          out.push({ ...met, named: with_, some: met.some.filter((one) => one !== clause) });
        }
  return out.filter(possible);
}

const includesClause = (list: readonly Clause[], one: Clause): boolean =>
  list.some(({ keys, goal }) => keys === one.keys && goal === one.goal);

const possible = (shape: ObjectShape): boolean => {
  if (shape.min > shape.max) return false;
  for (const { goal, required } of shape.named.values()) if (required && !goal) return false;
  return true;
};

function joinSeen(a: Seen, b: Seen): Seen {
  if (a.all || (b.names.size === 0 && b.keys.length === 0 && !b.all)) return a;
  if (b.all || (a.names.size === 0 && a.keys.length === 0)) return b;
  return { names: new Set([...a.names, ...b.names]), keys: [...a.keys, ...b.keys], all: false };
}

/** Arrays that both shapes allow. */
export function meetArrays(a: ArrayShape, b: ArrayShape): ArrayShape[] {
  const prefix: Goal[] = [];
  const at = (shape: ArrayShape, i: number): Goal =>
    i < shape.prefix.length ? shape.prefix[i] : shape.rest;
  for (let i = 0; i < Math.max(a.prefix.length, b.prefix.length); i++)
    prefix.push(both(at(a, i), at(b, i)));
  const rest = both(a.rest, b.rest);
  const max = Math.min(a.max, b.max, rest ? Number.POSITIVE_INFINITY : prefix.length);
  const min = Math.max(a.min, b.min);
  if (min > max) return [];
  return [
    {
      ...{ prefix, rest, min, max },
      contains: [...new Set([...a.contains, ...b.contains])],
      unique: a.unique ?? b.unique,
      seen: Math.max(a.seen, b.seen),
    },
  ];
}

/** The values that both shapes allow. */
export function meet(use: Expressions, a: Shape, b: Shape): Shape {
  return {
    null: a.null && b.null,
    true: a.true && b.true,
    false: a.false && b.false,
    numbers: narrower(use.r, a.numbers, b.numbers, use.numbers.any),
    strings: narrower(use.r, a.strings, b.strings, use.strings.any),
    arrays: a.arrays.flatMap((one) => b.arrays.flatMap((other) => meetArrays(one, other))),
    objects: a.objects.flatMap((one) => b.objects.flatMap((other) => meetObjects(use, one, other))),
  };
}

/** Everything is within `all`, which therefore changes nothing. */
function narrower(r: RegexBuilder, a: Regex, b: Regex, all: Regex): Regex {
  if (a === all) return b;
  return b === all ? a : r.and(a, b);
}

/** The values that either shape allows. */
export function join(use: Expressions, a: Shape, b: Shape): Shape {
  return {
    null: a.null || b.null,
    true: a.true || b.true,
    false: a.false || b.false,
    numbers: wider(use.r, a.numbers, b.numbers, use.numbers.any),
    strings: wider(use.r, a.strings, b.strings, use.strings.any),
    arrays: [...a.arrays, ...b.arrays],
    objects: [...a.objects, ...b.objects],
  };
}

const wider = (r: RegexBuilder, a: Regex, b: Regex, all: Regex): Regex =>
  a === all || b === all ? all : r.or(a, b);
