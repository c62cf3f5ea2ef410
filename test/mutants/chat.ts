/** Faults that the tests of chat must notice. */
import type { Mutant } from "./mutant.ts";

const render = { file: "src/chat/render.ts", tests: ["test/chat/render"] } as const;
const prepare = { file: "src/chat/prepare.ts", tests: ["test/chat/prepare.test"] } as const;
const formats = { tests: ["test/chat/tools"] } as const;
const parts = { tests: ["test/chat/call-parts"] } as const;

export const mutants: readonly Mutant[] = [
  {
    ...render,
    tests: ["test/chat/much-text"],
    fault: "what the context cannot hold is rendered to its end",
    from: "    exceeds &&\n",
    to: "    undefined &&\n",
  },
  {
    file: "src/chat/formats/marks.ts",
    ...formats,
    fault: "a fence of code is a stray end of a call",
    from: "/\\w/.test(end)",
    to: 'end !== ""',
  },
  {
    file: "src/chat/stream.ts",
    tests: ["test/chat/stream"],
    fault: "the table of a stop string stays as it begins",
    from: "if (known < stop.matched) ",
    to: "if (known < 0) ",
  },
  {
    ...prepare,
    fault: "text parts run into each other",
    from: 'typed ? texts.map(textPart) : texts.join("\\n")',
    to: 'typed ? texts.map(textPart) : texts.join("")',
  },
  {
    ...prepare,
    fault: "system messages are lost where there is no such role",
    from: 'if (isSystem(one)) waiting.push(one.texts.join("\\n"));',
    to: "if (isSystem(one)) continue;",
  },
  {
    ...prepare,
    fault: "a developer is nobody",
    from: 'role === "developer" ? "system" : role',
    to: "role",
  },
  {
    ...prepare,
    fault: "long ids lose their last digits",
    from: "/^-?\\d{16,}$/.test(token)",
    to: "false",
  },
  {
    ...prepare,
    fault: "results stand in the order in which they came",
    from: "results.sort((a, b) => place(a) - place(b))",
    to: "results",
  },
  {
    file: "src/chat/continue.ts",
    tests: ["test/session/continue"],
    fault: "a thought that goes on is closed",
    from: "if (inThought) return head + thought;",
    to: "",
  },
  {
    file: "src/chat/segments.ts",
    fault: "spellings of the model's own answers hide from the template",
    from: '(m["role"] === "assistant" ? m : deep(m, spellings))',
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
    from: "options.template && options.template !== this.source",
    to: "options.template && options.template === this.source",
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
    file: "src/chat/formats/tags.ts",
    fault: "a value ends at the first end tag",
    from: "if (input.ended || (yield* input.sees(...next))) break;",
    to: "break;",
  },
  {
    ...parts,
    file: "src/chat/formats/writer.ts",
    fault: "the number of a call that broke off is used again",
    from: "if (this.#call?.told) this.#calls++;",
    to: "if (this.#call?.json.endsWith('}')) this.#calls++;",
  },
  {
    ...formats,
    file: "src/chat/formats/writer.ts",
    fault: "a call of a function that is not offered",
    from: "if (!this.offers(name)) throw new Unreadable();",
    to: "",
  },
  {
    ...formats,
    file: "src/chat/formats/writer.ts",
    fault: "a call that the answer ends in looks complete",
    from: "if (this.#tell()) this.#whole({ unfinished: true });",
    to: "if (this.#tell()) this.#whole({});",
  },
  {
    ...formats,
    file: "src/chat/formats/marks.ts",
    fault: "the beginning of a mark is text where an answer is cut off",
    from: "    if (!cut) {",
    to: "    {",
  },
  {
    ...formats,
    file: "src/chat/formats/marks.ts",
    fault: "a call that reasoning only thinks of is one",
    from: "if (mark === this.#draft?.format.end) {",
    to: "if (mark === undefined && this.#draft) {",
  },
  {
    ...formats,
    file: "src/chat/formats/calls.ts",
    fault: "bare JSON that goes on unlike a call is one",
    from: 'else if (call.strict && key !== "type") throw new Unreadable();\n    else',
    to: "else",
  },
  {
    ...parts,
    file: "src/chat/formats/incoming.ts",
    fault: "a mark that has come by half is none",
    from: "if (this.#closed || !marks.some((mark) => left.length < mark.length && mark.startsWith(left)))",
    to: "if (this.#closed || left.length > 0)",
  },
];
