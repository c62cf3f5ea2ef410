import type { Mutant } from "./mutant.ts";

const flags = { file: "cli/flags.ts", tests: ["test/cli/flags"] } as const;
const modelFlags = { file: "cli/model-flags.ts", tests: ["test/cli/flags"] } as const;
const tunings = { file: "cli/tunings.ts", tests: ["test/cli/tunings"] } as const;

export const mutants: readonly Mutant[] = [
  {
    file: "cli/conversation.ts",
    tests: ["test/cli/conversation"],
    fault: "an answer that goes on is another message",
    from: "goesOn ? messages.pop() : undefined",
    to: "undefined",
  },
  {
    file: "cli/conversation.ts",
    tests: ["test/cli/conversation"],
    fault: "a full context ends the answer",
    from: "if (leaveOut(options)) continue;",
    to: "if (refusal !== undefined && leaveOut(options)) continue;",
  },
  {
    file: "cli/conversation.ts",
    tests: ["test/cli/conversation"],
    fault: "an answer that goes on has all its tokens once more",
    from: "Math.max(-1, options.maxTokens - done)",
    to: "options.maxTokens + 0 * done",
  },
  {
    file: "cli/chat.ts",
    tests: ["test/cli/chat.node"],
    fault: "a lost device stays lost",
    from: "await this.#model.restore();",
    to: "",
  },
  {
    file: "cli/conversation.ts",
    tests: ["test/cli/conversation"],
    fault: "turns are left out one at a time",
    from: "<= context >> 1) return question",
    to: "<= context) return question",
  },
  {
    file: "cli/carried.ts",
    tests: ["test/cli/flags"],
    fault: "a flag of llama.cpp's takes the word behind it whatever it is",
    from: 'takes === "value" || CHOICES.test(next ?? "")',
    to: 'takes !== "nothing"',
  },
  {
    ...flags,
    fault: "flags with underscores are unknown",
    from: 'bySpelling.get(spelling.replaceAll("_", "-"))',
    to: "undefined",
  },
  {
    ...flags,
    fault: "a fraction is taken for a whole number",
    from: "if (value !== undefined && !Number.isInteger(value))",
    to: "if (value !== undefined && Number.isNaN(value))",
  },
  {
    ...flags,
    fault: "a switch takes a value and forgets it",
    from: "if (equals >= 0) throw",
    to: "if (equals > arg.length) throw",
  },
  {
    ...modelFlags,
    fault: "the larger of -b and -ub is the chunk",
    from: "chunk: Math.min(...chunks)",
    to: "chunk: Math.max(...chunks)",
  },
  {
    ...modelFlags,
    fault: "some layers on the GPU mean the CPU",
    from: 'values.integer("gpu-layers") === 0',
    to: 'values.integer("gpu-layers") !== 0',
  },
  {
    ...modelFlags,
    fault: "a draft model is used where speculation is switched off",
    from: 'if (type === "none") return {};',
    to: "",
  },
  {
    ...tunings,
    fault: "an adapter's old tuning stays beside the new one",
    from: "readTunings().filter(({ adapter }) => adapter !== tuning.adapter)",
    to: "readTunings()",
  },
  {
    ...tunings,
    fault: "values of another version are taken",
    from: "RANGES[key]?.includes(one) === true",
    to: "RANGES[key]?.includes(one) !== false",
  },
  {
    file: "cli/hints.ts",
    tests: ["test/cli/hints"],
    fault: "errors that have a hint come without it",
    from: "return hint === undefined ?",
    to: "return hint !== undefined ?",
  },
];
