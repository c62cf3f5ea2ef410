/** Faults that the tests of bytes must notice. */
import type { Mutant } from "./mutant.ts";

const body = { file: "src/bytes/ordered-body.ts", tests: ["test/bytes/neighbours"] } as const;

export const mutants: readonly Mutant[] = [
  {
    file: "src/bytes/buffer.ts",
    fault: "memory that was given away counts as read",
    from: "if (all.length !== size)",
    to: "if (all.length > size)",
  },
  {
    file: "src/bytes/blob.ts",
    fault: "fewer bytes than asked for are taken",
    from: "if (buffer.byteLength !== length)",
    to: "if (buffer.byteLength > length)",
  },
  {
    file: "src/bytes/retry.ts",
    fault: "pauses do not grow",
    from: "Math.max(asked, firstPause * 2 ** failures)",
    to: "Math.max(asked, firstPause)",
  },
  {
    file: "src/bytes/retry.ts",
    fault: "a Retry-After of a day is obeyed",
    from: "Math.min(longestPause, Math.max(",
    to: "Math.min(Infinity, Math.max(",
  },
  {
    file: "src/bytes/retry.ts",
    fault: "Retry-After is ignored",
    from: "error instanceof Retryable ? error.pause : 0",
    to: "0",
  },
  {
    file: "src/bytes/retry.ts",
    fault: "a listener stays on the signal",
    from: 'signal?.removeEventListener("abort", stop);',
    to: "",
  },
  {
    file: "src/bytes/retry.ts",
    fault: "a timer stays after a settled wait",
    from: "      clearTimeout(timer);\n      signal",
    to: "      signal",
  },
  {
    file: "src/bytes/retry.ts",
    fault: "progress does not count",
    from: "      failures = 0;\n",
    to: "      failures += 0;\n",
  },
  {
    file: "src/bytes/retry.ts",
    fault: "hosts that do not exist are asked again",
    from: "const hopeless = offset === 0 && HOPELESS.test(reason);",
    to: "const hopeless = false;",
  },
  {
    file: "src/bytes/retry.ts",
    fault: "addresses in errors underneath are told",
    from: '.replace(/\\bhttps?:\\/\\/[^\\s)]*/gi, "the address")',
    to: "",
  },
  {
    file: "src/bytes/http-resource.ts",
    fault: "credentials go wherever a redirect leads",
    from: "const own = this.#authorization && new URL(address).origin === new URL(this.#home).origin;",
    to: "const own = this.#authorization;",
  },
  {
    file: "src/bytes/http-resource.ts",
    fault: "redirects are followed anew for every range",
    from: "this.#address = response.url || address;",
    to: "",
  },
  {
    file: "src/bytes/http-resource.ts",
    fault: "an expired address is not asked for anew",
    from: "    this.#address = this.#home;\n",
    to: '    this.#address += "";\n',
  },
  {
    file: "src/bytes/http-resource.ts",
    fault: "a web page is read as a model",
    from: "if (response.ok && /^text\\/html/i.test(type)) {",
    to: "if (type === null) {",
  },
  {
    ...body,
    fault: "every read is a request",
    from: "const more = run && Math.max(least, growth * run);",
    to: "const more = 0;",
  },
  {
    ...body,
    fault: "a body is asked for to the end of the file at once",
    from: "const more = run && Math.max(least, growth * run);",
    to: "const more = this.#resource.size;",
  },
  {
    ...body,
    fault: "gaps between tensors are requests",
    from: "return ahead <= mostSkipped &&",
    to: "return ahead < 0 &&",
  },
  {
    ...body,
    fault: "a reader takes the body away from another",
    from: "if (this.#ranges && this.#readers > 1) {",
    to: "if (this.#readers < 0) {",
  },
  {
    ...body,
    fault: "the body of an aborted reader stays open",
    from: "if (signal?.aborted) this.#hangUp();\n        else",
    to: "",
  },
  {
    ...body,
    fault: "a closed source is asked again",
    from: "if (this.#closed) throw",
    to: "if (this.#readers < 0) throw",
  },
];
