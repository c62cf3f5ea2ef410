/** Faults that the tests of sample must notice. */
import type { Mutant } from "./mutant.ts";

export const mutants: readonly Mutant[] = [
  {
    file: "src/sample/typ-p.ts",
    fault: "typical-p border",
    from: "enough = sum > Math.fround(p)",
    to: "enough = sum >= Math.fround(p)",
  },
  {
    file: "src/sample/typ-p.ts",
    fault: "typical-p ignores minKeep",
    from: "&& done >= minKeep",
    to: "",
  },
  {
    file: "src/sample/temperature.ts",
    fault: "dynamic temperature of one candidate",
    from: "  if (c.size <= 1) return;\n",
    to: "",
  },
  {
    file: "src/sample/device.ts",
    fault: "device ignores minKeep of top-p",
    from: 'return entry[2] <= 1 ? { name: "top_p"',
    to: 'return entry[2] >= 0 ? { name: "top_p"',
  },
  {
    file: "src/sample/device.ts",
    fault: "device ignores minKeep of min-p",
    from: 'return entry[2] <= 1 ? { name: "min_p"',
    to: 'return entry[2] >= 0 ? { name: "min_p"',
  },
  {
    file: "src/sample/sample-token.ts",
    fault: "a candidate's place is taken for its id",
    from: "token: c.ids[position]",
    to: "token: position",
  },
  {
    file: "src/sample/chain.ts",
    fault: "mirostat's mu follows tokens that were not sampled",
    from: "if (pending?.token === token) mu",
    to: "if (pending !== undefined) mu",
  },
];
