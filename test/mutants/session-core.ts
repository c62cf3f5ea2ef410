/** Faults that the tests of a session's steps, speculation, scheduler and embeddings must notice. */
import type { Mutant } from "./mutant.ts";

const ngram = {
  file: "src/session/ngram.ts",
  tests: ["test/session/speculate-random"],
} as const;
const embed = { file: "src/session/embed.ts", tests: ["test/session/embed"] } as const;
const scheduler = {
  file: "src/session/scheduler.ts",
  tests: ["test/session/scheduler"],
} as const;

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
    ...scheduler,
    fault: "an aborted call's rows are computed all the same",
    from: "const lost = line.cut(Math.min(end, Math.max(start, line.sent)));",
    to: "const lost = line.cut(end);",
  },
  {
    ...scheduler,
    fault: "a rewind is not told to the executor",
    from: "const reached = line.sent > length ? this.#inner.rewind(sequence, length) : length;",
    to: "const reached = length;",
  },
];
