import type { Mutant } from "./mutant.ts";

const matcher = ["test/grammar/matcher"];
const gbnf = ["test/grammar/gbnf"];
const session = ["test/session/grammar"];

export const mutants: readonly Mutant[] = [
  {
    file: "src/grammar/regex/regex.ts",
    fault: "a repetition that is repeated at least twice counts as once",
    from: "max === Number.POSITIVE_INFINITY && min <= 1 &&",
    to: "max === Number.POSITIVE_INFINITY &&",
    tests: gbnf,
  },
  {
    file: "src/grammar/matcher.ts",
    fault: "an end may come where the text is not complete",
    from: "if (state.complete) return null;",
    to: "return null;",
    tests: matcher,
  },
  {
    file: "src/session/constraint.ts",
    fault: "what other options ban may come although the grammar forbids it",
    from: "if (may(token)) return token;",
    to: "return token;",
    tests: session,
  },
  {
    file: "src/session/speculate.ts",
    fault: "what is certain is sampled where tokens are drafted",
    from: 'while (sampling.on === "host" && sampling.forced && text',
    to: 'while (sampling.on !== "host" && text',
    tests: session,
  },
];
