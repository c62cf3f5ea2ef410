/** Faults that the tests of file must notice. */
import type { Mutant } from "./mutant.ts";

export const mutants: readonly Mutant[] = [
  {
    file: "src/file/metadata.ts",
    fault: "whole numbers past 2^31 are taken",
    from: "value > 0x7fffffff",
    to: "value > 0xffffffff",
  },
  {
    file: "src/file/metadata.ts",
    fault: "negative whole numbers are taken",
    from: "!Number.isInteger(value) || value < min ||",
    to: "!Number.isInteger(value) ||",
  },
  {
    file: "src/file/metadata.ts",
    fault: "a list that is one layer short is taken",
    from: "if (all.length < layers)",
    to: "if (all.length < layers - 1)",
  },
  {
    file: "src/file/metadata.ts",
    fault: "a fallback in place of a wrong type",
    from: 'if (typeof value !== "boolean") throw',
    to: 'if (typeof value !== "boolean" && fallback !== undefined) return fallback;\n    if (typeof value !== "boolean") throw',
  },
  {
    file: "src/file/metadata.ts",
    fault: "flags of layers are lost",
    from: 'typeof value === "boolean" ? Number(value) : this.number(key, fallback)',
    to: 'typeof value === "boolean" ? 1 : this.number(key, fallback)',
  },
];
