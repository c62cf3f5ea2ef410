import type { Mutant } from "./mutant.ts";

const bench = { file: "src/tools/bench-run.ts", tests: ["test/tools/bench-run"] } as const;
const perplexity = { file: "src/tools/perplexity.ts", tests: ["test/tools/perplexity"] } as const;

export const mutants: readonly Mutant[] = [
  {
    ...bench,
    fault: "the first run counts",
    from: "if (round > 0) seconds[i].push(one);",
    to: "seconds[i].push(one);",
  },
  {
    ...bench,
    fault: "the deviation is that of a whole population",
    from: "Math.max(1, values.length - 1)",
    to: "values.length",
  },
  {
    ...bench,
    fault: "traffic at the end of the answer instead of its middle",
    from: "this.#traffic(depth + Math.ceil(tokens / 2),",
    to: "this.#traffic(depth + tokens,",
  },
  {
    ...bench,
    fault: "runs go on where the one before ended",
    from: "this.#executor.rewind(SEQUENCE, 0);",
    to: "",
  },
  {
    ...bench,
    fault: "the host's time of one submit counts for all tokens",
    from: "(1000 * median(spans) * spans.length) / tokens",
    to: "(1000 * median(spans)) / tokens",
  },
  {
    ...bench,
    fault: "a profile runs over the context",
    from: "Math.min(PROFILED_STEPS, room)",
    to: "PROFILED_STEPS",
  },
  {
    ...bench,
    fault: "a prompt has tokens outside of the vocabulary",
    from: "(i * 7919 + 11) % vocabulary",
    to: "i * 7919 + 11",
  },
  {
    ...perplexity,
    fault: "the first token of a chunk stays where BOS belongs",
    from: "tokens[0] = tokenizer.bos;",
    to: "",
  },
  {
    ...perplexity,
    fault: "the second half begins one position late",
    from: "const first = context >> 1;",
    to: "const first = (context >> 1) + 1;",
  },
  {
    ...perplexity,
    fault: "each token is scored by the logits behind it",
    from: "ids[chunk * context + first + i + 1]",
    to: "ids[chunk * context + first + i]",
  },
  {
    ...perplexity,
    fault: "chunks see those before them",
    from: "session.reset();",
    to: "",
  },
  {
    ...perplexity,
    fault: "a failure leaves the session open",
    from: "} finally {\n    await session.dispose();\n  }",
    to: "} finally {\n  }",
  },
];
