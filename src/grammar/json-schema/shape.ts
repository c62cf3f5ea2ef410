/**
 * What a schema allows, type by type, as alternatives in which everything is asked for at once.
 * What stands below a property or an item stays a {@link Goal}, so that recursion ends.
 */
import type { Regex } from "../regex/regex.ts";
import type { SchemaObject } from "./document.ts";

/** A schema that must hold, or must not. */
export interface Literal {
  readonly schema: SchemaObject;
  readonly holds: boolean;
}

/** Schemas that must all hold, in the order in which their properties come; undefined if nothing can. */
export type Goal = readonly Literal[] | undefined;

export const ANYTHING: Goal = [];

/** Both of them. */
export function both(a: Goal, b: Goal): Goal {
  if (!a || !b || a === b) return a && b;
  const out = [...a];
  for (const one of b) {
    const same = a.find(({ schema }) => schema === one.schema);
    if (!same) out.push(one);
    else if (same.holds !== one.holds) return undefined;
  }
  return out.length === a.length ? a : out;
}

/** Some of the other properties: those whose key, as JSON writes it, matches; undefined: all. */
export interface Clause {
  readonly keys: Regex | undefined;
  readonly goal: Goal;
}

export interface Property {
  readonly goal: Goal;
  readonly required: boolean;
}

/** Properties and items that some schema has looked at; for `unevaluated…`. */
export interface Seen {
  readonly names: ReadonlySet<string>;
  readonly keys: readonly Regex[];
  readonly all: boolean;
}

export const NOTHING_SEEN: Seen = { names: new Set(), keys: [], all: false };

export interface ObjectShape {
  /** In the order in which they are written; what may not be there is optional and its goal undefined. */
  readonly named: ReadonlyMap<string, Property>;
  /** What holds of every property that is not named. */
  readonly others: readonly Clause[];
  /** Each holds of at least one property that is not named. */
  readonly some: readonly Clause[];
  readonly min: number;
  readonly max: number;
  readonly seen: Seen;
}

export interface Contains {
  readonly goal: Goal;
  readonly min: number;
  readonly max: number;
}

export interface ArrayShape {
  readonly prefix: readonly Goal[];
  readonly rest: Goal;
  readonly min: number;
  readonly max: number;
  readonly contains: readonly Contains[];
  readonly unique: SchemaObject | undefined;
  /** How many items from the start some schema has looked at. */
  readonly seen: number;
}

export interface Shape {
  readonly null: boolean;
  readonly true: boolean;
  readonly false: boolean;
  /** As JSON writes them. */
  readonly numbers: Regex;
  /** As JSON writes them, without quotes. */
  readonly strings: Regex;
  readonly arrays: readonly ArrayShape[];
  readonly objects: readonly ObjectShape[];
}

export const ANY_OBJECT: ObjectShape = {
  named: new Map(),
  others: [],
  some: [],
  min: 0,
  max: Number.POSITIVE_INFINITY,
  seen: NOTHING_SEEN,
};

export const ANY_ARRAY: ArrayShape = {
  prefix: [],
  rest: ANYTHING,
  min: 0,
  max: Number.POSITIVE_INFINITY,
  contains: [],
  unique: undefined,
  seen: 0,
};
