import type { Mutant } from "./mutant.ts";

export const mutants: readonly Mutant[] = [
  {
    file: "src/kernels/attention.ts",
    fault: "a tile is too large for a device of minimal limits",
    from: "TILE_ROWS * keyWidth * 4 <= 8192",
    to: "TILE_ROWS * keyWidth * 4 <= 16384",
    tests: ["test/kernels/workgroup-memory"],
  },
  {
    file: "src/kernels/attention.ts",
    fault: "a group of heads is given more memory than there is",
    from: "group * (slot.keyWidth + 64 * positions + 64 + 8)",
    to: "group * (64 * positions + 64 + 8)",
    tests: ["test/kernels/workgroup-memory"],
  },
  {
    file: "src/kernels/linear.ts",
    fault: "half of 32 columns past the end of a row are not masked",
    from: "TAIL: call.k % (matvec ? 32 : 16) !== 0",
    to: "TAIL: call.k % 16 !== 0",
    tests: ["test/kernels/linear.test"],
  },
  {
    file: "src/kernels/moeLinear.ts",
    fault: "half of 32 columns past the end of an expert's row are not masked",
    from: "TAIL: k % (tiled ? 16 : 32) !== 0",
    to: "TAIL: k % 16 !== 0",
    tests: ["test/kernels/moe.test"],
  },
  {
    file: "src/kernels/call.ts",
    fault: "vectors follow at once, not at the next whole vector",
    from: "at = Math.ceil(at / values.length) * values.length;",
    to: "",
    tests: ["test/kernels/call"],
  },
  {
    file: "src/kernels/call.ts",
    fault: "vectors of floats are written as integers",
    from: 'type.includes("f32")',
    to: 'type === "f32"',
    tests: ["test/kernels/call"],
  },
  {
    file: "src/kernels/compose.ts",
    fault: "the last line of a file is said to be of the next one",
    from: "if (rest <= lines)",
    to: "if (rest < lines)",
    tests: ["test/kernels/compose"],
  },
  {
    file: "src/kernels/compose.ts",
    fault: "constants are not counted as lines",
    from: "let rest = line - front(parts, files).length;",
    to: "let rest = line;",
    tests: ["test/kernels/compose"],
  },
  {
    file: "bench/isa/lines.ts",
    fault: "all turns of a load in a loop are taken for one",
    from: "times.set(load.site, time + 1);",
    to: "",
    tests: ["test/bench/isa"],
  },
];
