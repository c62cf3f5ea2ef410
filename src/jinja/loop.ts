/** Jinja's `loop`: what the body of a loop knows of the iteration. */
import { bool, dict, int, UNDEFINED, type Value } from "./values.ts";

/** `loop` of iteration `i`. */
export function loopVariable(entries: readonly Value[], i: number): Value {
  const count = entries.length;
  return dict(
    new Map<string, Value>([
      ["index", int(i + 1)],
      ["index0", int(i)],
      ["revindex", int(count - i)],
      ["revindex0", int(count - i - 1)],
      ["first", bool(i === 0)],
      ["last", bool(i === count - 1)],
      ["length", int(count)],
      ["previtem", entries[i - 1] ?? UNDEFINED],
      ["nextitem", entries[i + 1] ?? UNDEFINED],
    ]),
  );
}
