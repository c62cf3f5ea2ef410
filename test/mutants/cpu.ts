import type { Mutant } from "./mutant.ts";

const matrix = { file: "src/cpu/matrix.ts", tests: ["test/cpu/matrix"] } as const;
const run = { file: "src/cpu/run.ts", tests: ["test/cpu/run"] } as const;

export const mutants: readonly Mutant[] = [
  {
    file: "src/cpu/weights.ts",
    fault: "a tensor whose bytes did not all come is computed with zeros",
    from: "checkCame(source.name, from, bytes.length, at);",
    to: "",
  },
  {
    file: "src/cpu/weights.ts",
    fault: "a tensor is read in one piece whatever its size",
    from: "Math.max(1, Math.floor(pieceBytes / stride)) * stride",
    to: "Math.max(stride, info.bytes)",
  },
  {
    file: "src/cpu/matrix.ts",
    fault: "rows behind the first piece are taken from it",
    from: "this.#pieces[piece]",
    to: "this.#pieces[0]",
  },
  {
    file: "src/cpu/sequence.ts",
    fault: "a cache grows beyond its context",
    from: "end + 2 ** 22, this.#most",
    to: "end + 2 ** 22",
    tests: ["test/session/memory"],
  },
  {
    ...matrix,
    fault: "bias by output, not by matrix row",
    from: "bias ? bias[first + column] : 0",
    to: "bias ? bias[column] : 0",
  },
  {
    ...matrix,
    fault: "outputs in front of the range computed too",
    from: "for (let column = from; column < to; column++) {",
    to: "for (let column = 0; column < to; column++) {",
  },
  {
    ...matrix,
    fault: "a stored matrix gives another row",
    from: "const from = (row - piece * this.#each) * this.#stride;",
    to: "const from = 0;",
  },
  {
    ...run,
    fault: "a value is dropped before its last reader",
    from: "for (const ref of inputsOf(op)) last[ref] = i;",
    to: "for (const ref of inputsOf(op)) last[ref] ||= i;",
  },
  {
    ...run,
    fault: "the head is computed where no output is wanted",
    from: "wanted ? ops.length : this.#beforeOutput;",
    to: "ops.length;",
  },
  {
    file: "src/cpu/ops/linear.ts",
    tests: ["test/cpu/matrix", "test/cpu/ops"],
    fault: "all heads through the first matrix",
    from: "{ first: head * out, out,",
    to: "{ first: 0, out,",
  },
  {
    file: "src/cpu/wasm/products.ts",
    tests: ["test/cpu/wasm/products"],
    fault: "scales behind the end of a row count",
    from: "return (v) => v128.and(v, mask);",
    to: "return (v) => v;",
  },
  {
    file: "src/cpu/wasm/activations.ts",
    tests: ["test/cpu/wasm/products"],
    fault: "a block of zeros and tiny values has an infinite factor",
    from: "const least = 2 ** -100;",
    to: "const least = 0;",
  },
  {
    file: "src/cpu/wasm/format.ts",
    tests: ["test/cpu/wasm/products"],
    fault: "an infinite scale is a finite number",
    from: "v128.or(finite, special)",
    to: "finite",
  },
  {
    file: "src/cpu/wasm/place.ts",
    tests: ["test/cpu/wasm/store"],
    fault: "a matrix begins before the one in front of it ends",
    from: "aligned(ends[memory] + bytes)",
    to: "aligned(ends[memory] + bytes - 64)",
  },
  {
    file: "src/cpu/wasm/matrix.ts",
    tests: ["test/cpu/wasm/store"],
    fault: "a bias by the piece's row, not the matrix's",
    from: "bias[at + i]",
    to: "bias[at - start + i]",
  },
  {
    file: "src/cpu/ops/moe.ts",
    tests: ["test/cpu/wasm/models"],
    fault: "rows of an expert come back at the places of its first",
    from: "i * out));",
    to: "choices[0] * out));",
  },
  {
    file: "src/wasm/assembler.ts",
    fault: "numbers whose last bits look like a sign are too short",
    from: "rest === 0 && low < 64",
    to: "rest === 0",
  },
  {
    file: "src/cpu/executor.ts",
    tests: ["test/cpu/executor"],
    fault: "chunks pass the borders of snapshots",
    from: "return sequence.recurrent ? Math.min(this.chunk, toBorder) : this.chunk;",
    to: "return this.chunk;",
  },
];
