/** Faults that the tests of platform must notice. */
import type { Mutant } from "./mutant.ts";

export const mutants: readonly Mutant[] = [
  {
    file: "src/platform/files.ts",
    fault: "reading after close",
    from: "if (closed) throw error",
    to: "if (!name) throw error",
  },
  {
    file: "src/platform/files.ts",
    fault: "the file is closed twice",
    from: "      if (closed) return;\n",
    to: "",
  },
  {
    file: "src/platform/node.ts",
    fault: "a file that is written under its reader goes unnoticed",
    from: "sameFile(facts, factsOf(await handle.stat()))",
    to: "true",
  },
  {
    file: "src/platform/files.ts",
    fault: "a file that is written again in the same length goes unnoticed",
    from: "a.size === b.size && a.modified === b.modified",
    to: "a.size === b.size",
  },
  {
    file: "src/platform/files.ts",
    fault: "bytes of a changed file are given out",
    from: "if (count === 0 || !same) {",
    to: "if (count === 0) {",
  },
  {
    file: "src/platform/files.ts",
    fault: "a path through a file is no missing file",
    from: "NotFound|ENOTDIR",
    to: "NotFound",
  },
  {
    file: "src/platform/files.ts",
    fault: "pieces of a stream of one buffer at a wrong offset",
    from: "await fill(part, offset + at);",
    to: "await fill(part, offset);",
  },
];
