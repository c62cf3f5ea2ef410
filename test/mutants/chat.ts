/** Faults that the tests of chat must notice. */
import type { Mutant } from "./mutant.ts";

const render = { file: "src/chat/render.ts", tests: ["test/chat/render"] } as const;
const parts = { tests: ["test/chat/call-parts"] } as const;

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
  {
    ...render,
    fault: "EOS left at the end of a prompt",
    from: "if (tokenizer.addEos && segments.length === 1 && tokens.at(-1) === eos) tokens.pop();",
    to: "",
  },
  {
    ...render,
    fault: "BOS twice",
    from: "tokens[0] === bos && tokens[1] === bos",
    to: "false",
  },
  {
    ...render,
    fault: "the template used last although another is given",
    from: "if (known && known.override === override)",
    to: "if (known)",
  },
  {
    ...parts,
    file: "src/chat/formats/transcode.ts",
    fault: "a backslash escapes in Gemma's strings",
    from: 'quote.length > 1 ? [quote] : [quote, "\\\\"]',
    to: '[quote, "\\\\"]',
  },
  {
    ...parts,
    file: "src/chat/formats/transcode.ts",
    fault: "a comma behind the last item stays",
    from: "emit(space + closeJson);",
    to: 'emit("," + space + closeJson);',
  },
  {
    ...parts,
    file: "src/chat/formats/tag-parts.ts",
    fault: "a value ends at the first end tag",
    from: "if ((yield* input.sees(tags.callEnd)) || (yield* input.sees(tags.parameter))) return value;",
    to: "return value;",
  },
  {
    ...parts,
    file: "src/chat/formats/tag-parts.ts",
    fault: "a value ends at its first end tag before the next key",
    from: "rest.lastIndexOf(",
    to: "rest.indexOf(",
  },
  {
    ...parts,
    file: "src/chat/formats/writer.ts",
    fault: "the number of a call that broke off is used again",
    from: "this.#calls += this.#written.length;\n    this.#written = [];\n    this.#skipSpace",
    to: "this.#written = [];\n    this.#skipSpace",
  },
  {
    ...parts,
    file: "src/chat/formats/incoming.ts",
    fault: "a mark that has come by half is none",
    from: "if (this.#whole || left >= mark.length || !mark.startsWith(this.#text.slice(this.#at)))",
    to: "if (this.#whole || left > 0)",
  },
];
