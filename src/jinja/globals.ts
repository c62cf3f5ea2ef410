/** The names that every template knows. */
import type { Budget } from "./budget.ts";
import { text } from "./print.ts";
import { strftime } from "./time.ts";
import {
  bool,
  dict,
  fn,
  int,
  isDict,
  isInt,
  isString,
  list,
  none,
  str,
  typeName,
  type Value,
} from "./values.ts";

/** Constants and functions; `now` is what `strftime_now` tells. */
export const globals = (budget: Budget, now: Date): [string, Value][] => [
  ...constants(),
  ...functions(budget, now),
];

const constants = (): [string, Value][] =>
  (["true", "True", "false", "False", "none", "None"] as const).map((name) => {
    const word = name.toLowerCase();
    return [name, word === "none" ? none() : bool(word === "true")];
  });

/** The functions that templates can call; `namespace` is in every scope of the package already. */
const functions = (budget: Budget, now: Date): [string, Value][] => [
  [
    "raise_exception",
    fn((args) => {
      throw new Error(args[0] === undefined ? "no reason given" : text(args[0], budget));
    }),
  ],
  [
    "strftime_now",
    fn(([format]) => {
      if (format === undefined || !isString(format)) throw new Error("strftime_now needs a format");
      budget.text(format.value.length * 8);
      return str(strftime(now, format.value));
    }),
  ],
  ["range", fn((args) => range(args, budget))],
  ["dict", fn((args) => keywordsAsDict(args, budget))],
];

function range(args: Value[], budget: Budget): Value {
  const ends = args.map((end) => {
    if (!isInt(end)) throw new Error(`range needs whole numbers, not ${typeName(end)}`);
    return end.value;
  });
  const [start, stop] = ends.length < 2 ? [0, ends[0] ?? 0] : ends;
  const step = ends[2] ?? 1;
  if (step === 0) throw new Error("range cannot step by zero");
  const count = Math.max(0, Math.ceil((stop - start) / step));
  budget.entries(count);
  return list(Array.from({ length: count }, (_, i) => int(start + i * step)));
}

function keywordsAsDict(args: Value[], budget: Budget): Value {
  const entries = args.flatMap((arg) => (isDict(arg) ? [...arg.value] : []));
  budget.entries(entries.length);
  return dict(new Map(entries));
}
