/** Faults that the tests of gpu, and of the executors' contract, must notice. */
import type { Mutant } from "./mutant.ts";

const chunks = { file: "src/gpu/chunks.ts", tests: ["test/gpu/chunks"] } as const;
const replay = { file: "src/gpu/replay.ts", tests: ["test/gpu/replay"] } as const;
const pipelines = { file: "src/gpu/pipelines.ts", tests: ["test/gpu/pipelines"] } as const;

export const mutants: readonly Mutant[] = [
  {
    file: "src/gpu/upload.ts",
    fault: "a matrix whose bytes did not all come is computed with what the buffer held",
    from: "checkCame(source.name, start, range.bytes, at + rest.length);",
    to: "",
    tests: ["test/gpu/upload"],
  },
  {
    file: "src/gpu/repack.ts",
    fault: "groups of blocks that are moved later take the place of the first ones",
    from: "first += (groups * group) / 16;",
    to: "",
    tests: ["test/plan/place"],
  },
  {
    file: "src/gpu/repack-host.ts",
    fault: "the last group is lost where a piece ends within it",
    from: "const groups = Math.ceil(held / group);",
    to: "const groups = Math.floor(held / group);",
    tests: ["test/plan/place"],
  },
  {
    ...replay,
    fault: "grids stale when only outputs change",
    from: "if (rows !== this.#rows || outputs !== this.#outputs) this.#setGrids",
    to: "if (rows !== this.#rows) this.#setGrids",
  },
  {
    ...replay,
    fault: "penalties without being asked for",
    from: 'sampling === "penalized" ? 0 : 1',
    to: 'sampling === "penalized" ? 0 : 0',
  },
  {
    ...replay,
    fault: "a last tile that is not full is dropped",
    from: "Math.ceil((grid.domain",
    to: "Math.floor((grid.domain",
  },
  {
    ...pipelines,
    fault: "a failed compile is remembered for ever",
    from: "started.catch(() => this.#started.delete(key));",
    to: "started.catch(() => {});",
  },
  {
    ...pipelines,
    fault: "a variant is compiled again for each model",
    from: "this.#started.set(key, started);",
    to: "",
  },
  {
    ...chunks,
    fault: "a chunk has more outputs than its plan",
    from: "(!all && outputs === limits.outputs)",
    to: "(!all && outputs > limits.outputs)",
  },
  {
    ...chunks,
    fault: "a bidirectional text is divided",
    from: "limits.causal || i > 0 || rows.length + count <= limit",
    to: "true",
  },
  {
    ...chunks,
    fault: "two runs of one sequence in a chunk",
    from: "rows.some((row) => row.sequence === sequence)) end();",
    to: "rows.some((row) => row.sequence === sequence)) {}",
  },
  {
    ...chunks,
    fault: "given rows of a chunk go on into the next",
    from: "given = undefined;",
    to: "",
  },
  {
    ...chunks,
    fault: "a request without penalties takes them from the others",
    from: 'else if (wanted.sampling === "greedy" && !isArgmax(sample))',
    to: "else if (!isArgmax(sample))",
  },
  {
    file: "src/gpu/executor.ts",
    tests: ["test/executor"],
    fault: "rows of an aborted step that were never submitted count",
    from: "      this.#takeBack(chunks, requests, called);\n",
    to: "",
  },
  {
    file: "src/gpu/submit.ts",
    tests: ["test/executor"],
    fault: "pending steps never settle after dispose",
    from: "for (const step of this.#pending) step.reject(error);",
    to: "",
  },
  {
    file: "src/gpu/submit.ts",
    tests: ["test/executor"],
    fault: "state goes back before the steps that are pending move it",
    from: "    if (!this.#states.any) return length;\n    this.flush();",
    to: "    if (!this.#states.any) return length;",
  },
  {
    file: "src/gpu/open.ts",
    tests: ["test/gpu/loss"],
    fault: "the loss of a device does not end loading",
    from: "void gpu.lost.then(() => stop.abort(lostMeanwhile()));",
    to: "",
  },
  {
    file: "src/gpu/open.ts",
    tests: ["test/gpu/loss"],
    fault: "an aborted load waits for the compiler",
    from: "return await orAborted(loading, signal);",
    to: "return await loading;",
  },
  {
    file: "src/gpu/latency.ts",
    tests: ["test/gpu/latency"],
    fault: "a lost device is an untyped error",
    from: "throw lostMeanwhile(cause);",
    to: "throw cause;",
  },
  {
    ...pipelines,
    fault: "a slow compiler is given everything at once",
    from: "Math.max(2, queue.most >> 1)",
    to: "MOST_AT_ONCE",
  },
  {
    ...pipelines,
    fault: "a load that was given up goes on compiling",
    from: "    signal?.throwIfAborted();\n    await work();",
    to: "    await work();",
  },
];
