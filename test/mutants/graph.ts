/** Faults that the tests of graph must notice. */
import type { Mutant } from "./mutant.ts";

export const mutants: readonly Mutant[] = [
  {
    file: "src/graph/tape.ts",
    fault: "parts of a state overlap",
    from: "return { slot: last, slotOffset: old.size };",
    to: "return { slot: last, slotOffset: 0 };",
  },
  {
    file: "src/graph/tape.ts",
    fault: "all rows mixed with selected ones",
    from: "if (selected > 0 && selected < inputs.length)",
    to: "if (selected < 0)",
  },
  {
    file: "src/graph/tape.ts",
    fault: "one state for all layers",
    from: 'old?.kind !== "state" || old.layer !== layer',
    to: 'old?.kind !== "state"',
  },
  {
    file: "src/graph/builders/matrices.ts",
    fault: "rows past the end of a matrix",
    from: "first + out > all",
    to: "first + out > all + 1",
  },
  {
    file: "src/graph/builders/matrices.ts",
    fault: "epsilon of the other norm",
    from: "eps = facts.normEps",
    to: "eps = facts.rmsEps",
  },
  {
    file: "src/graph/builders/elementwise.ts",
    fault: "an added constant is lost with a factor of 1",
    from: "if (by === 1 && plus === 0) return x;",
    to: "if (by === 1) return x;",
  },
  {
    file: "src/graph/builders/attention.ts",
    fault: "heads that do not share evenly",
    from: "heads % kv === 0 &&",
    to: "",
  },
  {
    file: "src/graph/builders/attention.ts",
    fault: "a rotation past the head's end",
    from: "start + table.rotated > headWidth",
    to: "table.rotated > headWidth",
  },
  {
    file: "src/graph/builders/experts.ts",
    fault: "more groups used than there are",
    from: "groupsUsed > groups",
    to: "groupsUsed > groups + 1",
  },
];
