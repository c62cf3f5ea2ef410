/** Faults of the checks of what callers give, which the tests of options must notice. */
import type { Mutant } from "./mutant.ts";

const options = { file: "src/base/options.ts", tests: ["test/session/options"] } as const;
const check = { file: "src/chat/check.ts", tests: ["test/session/options"] } as const;

export const mutants: readonly Mutant[] = [
  {
    ...options,
    fault: "unknown options are passed over",
    from: "if (given[key] !== undefined && !(key in rules)) {",
    to: "if (false) {",
  },
  {
    ...options,
    fault: "an object that contains itself counts as seen",
    from: "const is = depth > 0 &&",
    to: "seen.add(value);\n  const is = depth > 0 &&",
  },
  {
    ...options,
    fault: "a shared part is walked through each time",
    from: "if (is) seen.add(value);",
    to: "",
  },
  {
    ...options,
    fault: "a range has no upper end",
    from: "least <= Number(value) && Number(value) <= most",
    to: "least <= Number(value)",
  },
  {
    ...options,
    fault: "a list's items are not looked at",
    from: "i < values.length",
    to: "i < 0",
  },
  {
    ...check,
    fault: "a message of nothing is a message",
    from: "one.content === undefined && !one.tool_calls",
    to: "one.content === null && !one.tool_calls",
  },
  {
    ...check,
    fault: "a message may hold a bigint",
    from: "    json(one, ",
    to: "    [].concat(one as never, ",
  },
];
