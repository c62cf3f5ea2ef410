/** Faults that the tests of chat must notice. */
import type { Mutant } from "./mutant.ts";

export const mutants: readonly Mutant[] = [
  {
    file: "src/chat/formats/parse.ts",
    fault: "escaped quote ends a JSON string",
    from: 'if (c === "\\\\") i++;\n      else if',
    to: "if",
  },
  {
    file: "src/chat/formats/parse.ts",
    fault: "an end too many is no error",
    from: "if (--depth < 0) return undefined;",
    to: "--depth;",
  },
  {
    file: "src/chat/segments.ts",
    fault: "spellings of the model's own answers hide from the template",
    from: '(m.role === "assistant" ? m : deep(m, spellings))',
    to: "deep(m, spellings)",
  },
  {
    file: "src/chat/segments.ts",
    fault: "shorter of two special tokens that begin alike",
    from: "same.sort((a, b) => b.length - a.length);",
    to: "same.sort((a, b) => a.length - b.length);",
  },
  {
    file: "src/chat/template.ts",
    fault: "the file's template although another is given",
    from: "options.template !== undefined && options.template !== this.source",
    to: "options.template !== undefined && options.template === this.source",
  },
  {
    file: "src/chat/template.ts",
    fault: "the tools variant without tools",
    from: "(tools.length > 0 ? this.#withTools : undefined) ?? this",
    to: "this.#withTools ?? this",
  },
  {
    file: "src/chat/template.ts",
    fault: "the second of two templates is rendered with the first",
    from: "if (this.#override?.source !== options.template)",
    to: "if (this.#override === undefined)",
  },
];
