/** Faults that the tests of the worker must notice. */
import type { Mutant } from "./mutant.ts";

const tests = ["test/worker/messages"];
const client = { file: "src/worker/client.ts", tests } as const;
const link = { file: "src/worker/link.ts", tests } as const;
const serve = { file: "src/worker/serve.ts", tests } as const;

export const mutants: readonly Mutant[] = [
  {
    ...client,
    fault: "an abort is not sent on while a piece is computed",
    from: 'signal?.addEventListener("abort", abort);',
    to: "",
  },
  {
    ...client,
    fault: "an answer's listener stays on its signal",
    from: 'signal?.removeEventListener("abort", abort);',
    to: "",
  },
  {
    ...client,
    fault: "tokens that changed are added behind the old ones",
    from: "[...this.#tokens.slice(0, state.common), ...state.added]",
    to: "[...this.#tokens, ...state.added]",
  },
  {
    ...link,
    fault: "listeners on a long-lived signal pile up",
    from: '.finally(() => signal?.removeEventListener("abort", abort)),',
    to: ",",
  },
  {
    ...link,
    fault: "a request that cannot be sent stays on its signal",
    from: 'this.#pending.delete(id);\n      signal?.removeEventListener("abort", abort);',
    to: "this.#pending.delete(id);",
  },
  {
    ...link,
    fault: "an abort ends in the worker's error",
    from: "throw signal?.aborted ? signal.reason : error;",
    to: "throw error;",
  },
  {
    ...link,
    fault: "the worker's failure is not listened to",
    from: 'port.addEventListener("error", this.#onError);',
    to: "",
  },
  {
    ...serve,
    fault: "controllers of finished requests pile up",
    from: "} finally {\n      this.#running.delete(id);\n    }",
    to: "} finally {\n    }",
  },
  {
    ...serve,
    fault: "a stream that is gone has an end",
    from: "if (!stream)\n      throw new WebggufError(",
    to: "if (!stream) return { done: true } as never;\n    if (!stream)\n      throw new WebggufError(",
  },
  {
    file: "src/worker/protocol.ts",
    tests,
    fault: "an error's place stays in the worker",
    from: "return { name, message, code, file, offset, key, tensor };",
    to: "return { name, message, code, file };",
  },
];
