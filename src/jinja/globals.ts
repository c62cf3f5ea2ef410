/** The functions that every template knows. */
import { text } from "./print.ts";
import { strftime } from "./time.ts";
import {
  type Call,
  type Callable,
  dict,
  fn,
  int,
  isDict,
  isInt,
  isList,
  isString,
  iterate,
  type Key,
  keyOf,
  list,
  namespace,
  str,
  type Value,
} from "./values.ts";

/** The functions by name; `now` is what `strftime_now` tells. */
export const globals = (now: Date): [string, Value][] => {
  const functions: [string, Callable][] = [
    ["raise_exception", raiseException],
    ["strftime_now", strftimeNow(now)],
    ["range", range],
    ["dict", (call) => dict(entriesOf(call))],
    ["namespace", (call) => namespace(entriesOf(call))],
  ];
  return functions.map(([name, run]) => [name, fn(run)]);
};

const raiseException: Callable = ({ args, budget }) => {
  throw new Error(args[0] === undefined ? "it gives no reason" : text(args[0], budget));
};

const strftimeNow =
  (now: Date): Callable =>
  ({ args: [format], budget }) => {
    if (format === undefined || !isString(format)) throw new Error("strftime_now needs a format");
    budget.text(format.value.length * 8);
    return str(strftime(now, format.value));
  };

const range: Callable = ({ args, budget }) => {
  const ends = args.map((end) => {
    if (!isInt(end)) throw new Error(`range needs whole numbers, not ${end.type}`);
    return end.value;
  });
  const [start, stop] = ends.length < 2 ? [0, ends[0] ?? 0] : ends;
  const step = ends[2] ?? 1;
  if (step === 0) throw new Error("range cannot step by zero");
  const count = Math.max(0, Math.ceil((stop - start) / step));
  budget.entries(count);
  return list(Array.from({ length: count }, (_, i) => int(start + i * step)));
};

/** Entries from a mapping or from pairs, and from keyword arguments, as Python's `dict` has them. */
function entriesOf({ args, named, budget }: Call): Map<Key, Value> {
  const entries = new Map<Key, Value>();
  const [source] = args;
  if (args.length > 1) throw new Error(`one mapping is enough, not ${args.length}`);
  if (source !== undefined && isDict(source)) {
    budget.entries(source.value.size);
    for (const [key, value] of source.value) entries.set(key, value);
  } else if (source !== undefined) {
    for (const pair of iterate(source, budget)) {
      if (!isList(pair) || pair.value.length !== 2) throw new Error("entries must be pairs");
      budget.entries(1);
      entries.set(keyOf(pair.value[0], budget), pair.value[1]);
    }
  }
  budget.entries(named.size);
  for (const [key, value] of named) entries.set(key, value);
  return entries;
}
