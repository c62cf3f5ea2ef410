/** Faults that the tests of the worker must notice. */
import type { Mutant } from "./mutant.ts";

const tests = ["test/worker/messages"];
const lifecycle = ["test/worker/lifecycle"];
const client = { file: "src/worker/client.ts", tests } as const;
const link = { file: "src/worker/link.ts", tests } as const;
const serve = { file: "src/worker/serve.ts", tests } as const;

export const mutants: readonly Mutant[] = [
  {
    ...client,
    fault: "an abort is not sent on while a piece is computed",
    from: "this.#link.abort(opened.id);",
    to: "",
  },
  {
    ...client,
    tests: lifecycle,
    fault: "dispose() waits for a worker that is gone",
    from: '.end<void>({ do: "endModel"',
    to: '.ask<void>({ do: "endModel"',
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
    from: '.finally(() => signal.removeEventListener("abort", abort))',
    to: "",
  },
  {
    ...link,
    fault: "an abort waits for the worker",
    from: "reject(signal?.reason);",
    to: "",
  },
  {
    ...link,
    tests: lifecycle,
    fault: "a worker that is gone is asked again",
    from: "if (this.#ended) return { id, reply: Promise.reject(this.#ended) };",
    to: "",
  },
  {
    ...link,
    tests: lifecycle,
    fault: "nobody hears of terminate()",
    from: "for (const link of [...made]) link.terminated();",
    to: "",
  },
  {
    ...link,
    tests: lifecycle,
    fault: "what others say is taken for a reply",
    from: "if (!isOurs(message)) return;",
    to: "",
  },
  {
    ...serve,
    tests: lifecycle,
    fault: "a model whose loading was given up stays",
    from: "void this.#endModel(id);\n  }",
    to: "}",
  },
  {
    ...serve,
    tests: lifecycle,
    fault: "what is asked of a session overtakes what ends before it",
    from: "if (!served || request.do ===",
    to: "if (served || !served || request.do ===",
  },
  {
    ...link,
    fault: "the worker's failure is not listened to",
    from: 'this.#port[how]("error", this.#onError);',
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
    file: "src/base/plain-errors.ts",
    tests,
    fault: "an error's place stays in the worker",
    from: "return { name, message, code, file, offset, key, tensor, ...found };",
    to: "return { name, message, code, file, ...found };",
  },
];
