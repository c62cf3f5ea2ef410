/** An answer's tool calls can be pushed back: whatever form a template wants their arguments in. */
import { describe, expect, it } from "vitest";
import type { ChatMessage } from "../../src/chat/messages.ts";
import { ChatTemplate } from "../../src/chat/template.ts";
import { withToolArguments } from "../../src/chat/tool-arguments.ts";
import { toolCallIds } from "../../src/chat/tool-call-ids.ts";

const facts = { bosToken: "", eosToken: "" };
const each = (print: string): ChatTemplate =>
  new ChatTemplate(
    `{%- for m in messages -%}{{ m.content }}{%- for c in m.tool_calls or [] -%}${print}{%- endfor -%}{%- endfor -%}`,
    facts,
  );
const conversation = (given: unknown): ChatMessage[] => [
  { role: "user", content: "Add." },
  {
    role: "assistant",
    content: null,
    tool_calls: [{ id: "a", type: "function", function: { name: "add", arguments: given } }],
  },
];
const argumentsOf = (template: ChatTemplate, given: unknown): unknown =>
  withToolArguments(template, conversation(given))[1].tool_calls?.[0].function.arguments;

const text = '{"a": 1}';

describe("arguments of tool calls", () => {
  it("become an object where a template prints objects as JSON", () => {
    const template = each("{{ c.function.arguments | tojson }}");
    expect(argumentsOf(template, text)).toEqual({ a: 1 });
    expect(argumentsOf(template, { a: 1 })).toEqual({ a: 1 });
    expect(argumentsOf(template, "{ broken")).toBe("{ broken");
  });

  it("become an object where a template goes through them", () => {
    const template = each(
      "{% for k, v in c.function.arguments.items() %}<parameter={{ k }}>{{ v }}{% endfor %}",
    );
    expect(argumentsOf(template, text)).toEqual({ a: 1 });
  });

  it("become text where a template prints them as they are", () => {
    const template = each("{{ c.function.arguments }}");
    expect(argumentsOf(template, { a: 1 })).toBe('{"a":1}');
    expect(argumentsOf(template, text)).toBe(text);
  });

  it("stay as given where a template takes both, or none", () => {
    const both = each(
      "{{ c.function.arguments if c.function.arguments is string else c.function.arguments | tojson }}",
    );
    for (const template of [both, each("")])
      for (const given of [text, { a: 1 }]) expect(argumentsOf(template, given)).toEqual(given);
  });

  it("leave messages without calls alone", () => {
    const messages = [{ role: "user", content: "Hi" }];
    expect(withToolArguments(each("x"), messages)).toBe(messages);
  });
});

describe("ids of tool calls", () => {
  it("are 9 letters and digits, each its own, and the same for the same seed", () => {
    const [one, again, other] = [7, 7, 8].map((seed) => toolCallIds(seed));
    const ids = Array.from({ length: 200 }, (_, i) => one(i));
    expect(new Set(ids).size).toBe(200);
    for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9]{9}$/);
    expect(Array.from({ length: 200 }, (_, i) => again(i))).toEqual(ids);
    expect(ids).not.toContain(other(0));
  });

  it("differ from answer to answer without a seed", () => {
    expect(toolCallIds()(0)).not.toBe(toolCallIds()(0));
    expect(toolCallIds(-1)(0)).not.toBe(toolCallIds(-1)(0));
  });
});
