/** Faults that the tests of a session's steps, speculation, batches and embeddings must notice. */
import type { Mutant } from "./mutant.ts";

const ngram = {
  file: "src/session/ngram.ts",
  tests: ["test/session/speculate-random"],
} as const;
const embed = { file: "src/session/embed.ts", tests: ["test/session/embed"] } as const;
const batch = { file: "src/session/batch.ts", tests: ["test/session/batch"] } as const;

export const mutants: readonly Mutant[] = [
  {
    ...ngram,
    fault: "the index of another text is kept",
    from: "if (commonPrefix(this.#tokens, tokens) < this.#tokens.length) {",
    to: "if (tokens.length < this.#tokens.length) {",
  },
  {
    ...embed,
    fault: "rankLast from the first row",
    from: "return softmax(row(count - 1));",
    to: "return softmax(row(0));",
  },
  {
    ...embed,
    fault: "rank from the last row",
    from: 'case "rank":\n      return row(0);',
    to: 'case "rank":\n      return row(count - 1);',
  },
  {
    ...batch,
    fault: "an aborted call goes to the executor all the same",
    from: "const wanted = calls.filter(({ signal }) => !signal?.aborted);",
    to: "const wanted = calls;",
  },
  {
    ...batch,
    fault: "a rewind goes before what waits",
    from: "if (batch.waiting(sequence) > 0) batch.sendAll();",
    to: "",
  },
];
