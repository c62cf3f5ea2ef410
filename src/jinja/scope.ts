/** What a loop and a block know by name. */
import type { Scope } from "./package.ts";
import { bool, dict, int, undef, type Value } from "./values.ts";

/** Jinja's `loop` of iteration `i`. */
export function loopRecord(entries: readonly Value[], i: number): Value {
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
      ["previtem", entries[i - 1] ?? undef()],
      ["nextitem", entries[i + 1] ?? undef()],
    ]),
  );
}

/** A variable of the nearest scope that has it. (The package throws and catches where none does.) */
export function lookUp(name: string, scope: Scope): Value {
  for (let at: Scope | undefined = scope; at !== undefined; at = at.parent) {
    const value = at.variables.get(name);
    if (value !== undefined) return value;
  }
  return undef();
}
