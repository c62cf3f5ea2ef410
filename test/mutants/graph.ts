import type { Mutant } from "./mutant.ts";

const table = { file: "src/graph/ops.ts", tests: ["test/graph/ops"] } as const;
const tape = { file: "src/graph/tape.ts", tests: ["test/graph/builder"] } as const;

export const mutants: readonly Mutant[] = [
  {
    ...table,
    fault: "an input of a state-space op left out",
    from: "[op.x, op.dt, op.b, op.c]",
    to: "[op.x, op.dt, op.b]",
  },
  {
    ...table,
    fault: "frequency factors are read by nobody",
    from: "vectors: (op) => [op.table.factors]",
    to: "vectors: none",
  },
  {
    ...table,
    fault: "experts' matrices read element by element",
    from: "moeLinear: { values: routed, matrices: weight, vectors: biasAndScale }",
    to: "moeLinear: { values: routed, matrices: none, vectors: (op) => [op.weight, op.bias, op.scale] }",
  },
  {
    ...tape,
    fault: "an op may mix all rows with selected ones",
    from: "if (selected > 0 && selected < inputs.length)",
    to: "if (selected > inputs.length)",
  },
  {
    ...tape,
    fault: "each part of a layer's state begins at its start",
    from: "return { slot: last, slotOffset: old.size };",
    to: "return { slot: last, slotOffset: 0 };",
  },
  {
    file: "src/graph/builders/matrices.ts",
    tests: ["test/graph/builder"],
    fault: "rows behind the end of a matrix",
    from: "first < 0 || out < 1 || first + out > all",
    to: "first < 0 || out < 1 || out > all",
  },
];
