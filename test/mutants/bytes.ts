/** Faults that the tests of bytes must notice. */
import type { Mutant } from "./mutant.ts";

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
];
