import type { Mutant } from "./mutant.ts";

const tests = ["test/quantize/conformance"] as const;
const tools = ["test/tools/quantize"] as const;

const importance = ["test/tools/imatrix"] as const;

export const mutants: readonly Mutant[] = [
  {
    ...{ file: "src/quantize/fit.ts", tests },
    fault: "products of the best scale are summed without rounding between",
    from: "sumXl = f(sumXl + f(wl * v));",
    to: "sumXl = f(sumXl + wl * v);",
  },
  {
    ...{ file: "src/quantize/mixture.ts", tests },
    fault: "the first eighth of an attention's values gets no more bits",
    from: "return index < first || index >=",
    to: "return index >=",
  },
  {
    ...{ file: "src/quantize/plan.ts", tests: tools },
    fault: "rows that fit no block of the fallback are not kept in F16",
    from: 'return columns % fallback.elements === 0 ? fallback : typeNamed("F16");',
    to: "return fallback;",
  },
  {
    ...{ file: "src/quantize/lattice.ts", tests },
    fault: "neighbours of equal distance are left out",
    from: "have++;",
    to: "have += 2;",
  },
  {
    ...{ file: "src/quantize/quantize.ts", tests: tools },
    fault: "all stacked matrices are quantised by the first one's importance",
    from: "const at = (matrix % (from.shape[2] ?? 1)) * columns;",
    to: "const at = 0;",
  },
  {
    ...{ file: "src/quantize/validate.ts", tests: tools },
    fault: "infinite weights pass",
    from: "if (Math.abs(x[i]) <= largest) continue;",
    to: "if (!Number.isNaN(x[i])) continue;",
  },
  {
    ...{ file: "src/tools/output.ts", tests: tools },
    fault: "what failed stands beside its place",
    from: "await files.remove(beside).catch(() => {});",
    to: "",
  },
  {
    ...{ file: "src/gguf/raw-pairs.ts", tests: tools },
    fault: "an array ends before its last element",
    from: "if (element) at += count * element.bytes;",
    to: "if (element) at += (count - 1) * element.bytes;",
  },
  {
    ...{ file: "src/tools/taps.ts", tests: importance },
    fault: "each expert is given the first one's input",
    from: "(tap.inputs > 1 ? k : 0)",
    to: "0",
  },
  {
    ...{ file: "src/quantize/importance-files.ts", tests: importance },
    fault: "a matrix is joined by its sums alone",
    from: "(old.counts[i] ?? old.counts[0]) + (counts[i] ?? counts[0])",
    to: "old.counts[i] ?? old.counts[0]",
  },
];
