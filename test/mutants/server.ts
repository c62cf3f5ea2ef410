import type { Mutant } from "./mutant.ts";

const revival = { file: "cli/server/revival.ts", tests: ["test/server/lost"] } as const;

export const mutants: readonly Mutant[] = [
  {
    ...revival,
    fault: "each stream restores the device again",
    from: "if (this.#times > seen) return;",
    to: "",
  },
  {
    ...revival,
    fault: "an answer begins anew for the client too",
    from: "if (passed++ < given) continue;",
    to: "passed++;",
  },
  {
    ...revival,
    fault: "a model that cannot be restored stays",
    from: "this.#failed();",
    to: "",
  },
  {
    file: "cli/server/generate.ts",
    tests: ["test/server/lost"],
    fault: "an answer that is begun again draws other numbers",
    from: "shareCache: job.cached, seed: (seed >= 0 ? seed : randomSeed()) + choice, signal",
    to: "shareCache: job.cached, ...(seed >= 0 && { seed: seed + choice }), signal",
  },
  {
    file: "cli/server/prefill.ts",
    tests: ["test/server/behaviour"],
    fault: "what was computed for the progress counts as cached",
    from: "cachedTokens: Math.min(found, answer.usage.cachedTokens),",
    to: "cachedTokens: answer.usage.cachedTokens,",
  },
  {
    file: "cli/server/slots.ts",
    tests: ["test/server/clients-tools"],
    fault: "a short request takes the slot of a long conversation",
    from: "const score = common * 2 >= tokens.length ? common : 0;",
    to: "const score = common;",
  },
  {
    file: "cli/server/anthropic/messages.ts",
    tests: ["test/server/clients-tools"],
    fault: "a billing block that changes spoils the prefix",
    from: ".filter((text) => !BILLING.test(text));",
    to: ";",
  },
];
