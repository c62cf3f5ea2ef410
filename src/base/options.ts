/** What callers give, checked against a description of it that stands beside its type. */
import { WebggufError } from "./errors.ts";
import { nearest, quoted } from "./text.ts";

/** Refuses a value that is no `T` with `input/invalid`; `name` is what the message calls it. */
export interface Rule<in out T> {
  (value: unknown, name: string): void;
  /** Never there: ties the rule to its type. */
  readonly of?: (value: T) => T;
}

/** A rule for each property of `T`; one without a rule, or with that of another type, does not compile. */
export type Rules<T> = { readonly [K in keyof T]-?: Rule<Exclude<T[K], undefined>> };

/** Throws `input/invalid`: `name` must be `expected`, and is `actual`. */
export function refuse(name: string, expected: string, actual: unknown): never {
  throw new WebggufError(
    "input/invalid",
    `Cannot use ${name}: it must be ${expected}, not ${shown(actual)}`,
    { key: name, expected, actual },
  );
}

/** A value of any kind for a message. */
function shown(value: unknown): string {
  if (typeof value === "string") return quoted(value);
  if (typeof value === "function") return "a function";
  if (Array.isArray(value)) return `a list of ${value.length}`;
  return typeof value === "object" && value !== null ? "an object" : String(value);
}

/** The rule of values that `is` holds of. */
export const rule =
  <T>(expected: string, is: (value: unknown) => boolean): Rule<T> =>
  (value, name) => {
    if (!is(value)) refuse(name, expected, value);
  };

export const text: Rule<string> = rule("a text", (value) => typeof value === "string");
export const flag: Rule<boolean> = rule("true or false", (value) => typeof value === "boolean");
export const finite: Rule<number> = rule("a finite number", Number.isFinite);

/** The most that a count of tokens, or an id, may be. */
export const MOST: number = 2 ** 31 - 1;

/** Whole numbers from `least` to `most`. */
export const whole = (
  least: number = Number.MIN_SAFE_INTEGER,
  most: number = Number.MAX_SAFE_INTEGER,
): Rule<number> =>
  rule(
    least < -1
      ? "a whole number"
      : `a whole number ${most <= MOST ? `from ${least} to ${most}` : `of at least ${least}`}`,
    (value) => Number.isSafeInteger(value) && least <= Number(value) && Number(value) <= most,
  );

/** One of these. */
export const oneOf = <const T extends string | number | boolean>(...names: readonly T[]): Rule<T> =>
  rule(`one of ${names.join(", ")}`, (value) => names.includes(value as T));

// biome-ignore lint/suspicious/noExplicitAny: functions of every type
export const callback: Rule<any> = rule("a function", (value) => typeof value === "function");

export const signal: Rule<AbortSignal> = rule(
  "an AbortSignal",
  (value) => value instanceof AbortSignal,
);

/** Data as JSON has it: nothing that calls itself, no functions, no bigints. */
// biome-ignore lint/suspicious/noExplicitAny: data of every type
export const json: Rule<any> = rule(
  "JSON data",
  (value) => value !== undefined && isJson(value, 100, new Set()),
);

function isJson(value: unknown, depth: number, seen: Set<unknown>): boolean {
  if (typeof value !== "object") return !/bigint|function|symbol/.test(typeof value);
  if (value === null || seen.has(value)) return true;
  const is = depth > 0 && Object.values(value).every((one) => isJson(one, depth - 1, seen));
  // Not before its end, so that one that contains itself is not taken as seen.
  if (is) seen.add(value);
  return is;
}

const list = rule("a list", Array.isArray);

/** A list of values that each follow `each`. */
export const listOf =
  <T>(each: Rule<T>): Rule<readonly T[]> =>
  (value, name) => {
    list(value, name);
    const values = value as readonly unknown[];
    for (let i = 0; i < values.length; i++) each(values[i], `${name}[${i}]`);
  };

/** As `other`; null counts as left out. */
export const orNull =
  <T>(other: Rule<T>): Rule<T> =>
  (value, name) => {
    if (value !== null) other(value, name);
  };

/** One text, or a list of them. */
export const texts: Rule<string | readonly string[]> = (value, name) => {
  if (Array.isArray(value)) listOf(text)(value, name);
  else if (typeof value !== "string") refuse(name, "a text or a list of texts", value);
};

/** Token ids; which of them there are, the vocabulary says. */
export const ids: Rule<ArrayLike<number>> = (value, name) => {
  const all = Object(value) as ArrayLike<unknown>;
  if (typeof value !== "object" || !Number.isSafeInteger(all.length) || all.length < 0)
    refuse(name, "a list of token ids", value);
  for (let i = 0; i < all.length; i++)
    if (!Number.isInteger(all[i])) refuse(`${name}[${i}]`, "a token id", all[i]);
};

/** A text, or its token ids. */
export const textOrIds: Rule<string | readonly number[]> = (value, name) =>
  Array.isArray(value) ? ids(value, name) : text(value, name);

export const isObject = (value: unknown): boolean =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const object = rule("an object", isObject);

/** An object of the properties that `rules` describe: `needed` ones are there, and others only if it is `open`. */
export const objectOf =
  <T extends object>(rules: Rules<T>, needed: readonly (keyof T)[] = [], open = false): Rule<T> =>
  (value, name) => {
    object(value, name || "options");
    const given = value as Record<string, unknown>;
    const path = (key: string): string => (name ? `${name}.${key}` : key);
    for (const key of Object.keys(rules) as (keyof T & string)[])
      if (given[key] !== undefined || needed.includes(key)) rules[key](given[key], path(key));
    if (open) return;
    for (const key in given)
      if (given[key] !== undefined && !(key in rules)) {
        const near = nearest(key, Object.keys(rules));
        throw new WebggufError(
          "input/invalid",
          `Cannot use the unknown option ${quoted(path(key))}; ${near ? `did you mean ${near}?` : "leave it out"}`,
          { key: path(key), expected: near },
        );
      }
  };

/** Options as `rules` describe them. */
export const checkOptions = <T extends object>(options: T, rules: Rules<T>): void =>
  objectOf(rules)(options, "");

/** Options of calls that have no others. */
export const signalRules: Rules<{ signal?: AbortSignal }> = { signal };
