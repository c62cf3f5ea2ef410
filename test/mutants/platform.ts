/** Faults that the tests of platform must notice. */
import type { Mutant } from "./mutant.ts";

export const mutants: readonly Mutant[] = [
  {
    file: "src/platform/files.ts",
    fault: "reading after close",
    from: "    if (closed)\n      throw new WebggufError",
    to: "    if (!name)\n      throw new WebggufError",
  },
  {
    file: "src/platform/files.ts",
    fault: "the file is closed twice",
    from: "      if (closed) return;\n",
    to: "",
  },
  {
    file: "src/platform/node.ts",
    fault: "handle of a folder left open",
    from: "      await handle.close();\n      throw notAFile(path);",
    to: "      throw notAFile(path);",
  },
  {
    file: "src/platform/files.ts",
    fault: "a path through a file is no missing file",
    from: 'code === "NotFound" || code === "ENOTDIR"',
    to: 'code === "NotFound"',
  },
  {
    file: "src/platform/files.ts",
    fault: "pieces of a stream of one buffer at a wrong offset",
    from: "await fill(part, offset + at);",
    to: "await fill(part, offset);",
  },
];
