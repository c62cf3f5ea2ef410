/** Messages as clients keep them reach every kind of template in the form that it prints right. */
import { describe, expect, it } from "vitest";
import { WebggufError } from "../../src/base/errors.ts";
import type { ChatMessage, ToolCall } from "../../src/chat/messages.ts";
import { ChatTemplate } from "../../src/chat/template.ts";

const facts = { bosToken: "", eosToken: "" };
const show = (source: string, messages: readonly ChatMessage[], options = {}): string =>
  new ChatTemplate(source, facts).render(messages, [], { addGenerationPrompt: false, ...options });
const user = (content: ChatMessage["content"]): ChatMessage => ({ role: "user", content });
const system = (content: string): ChatMessage => ({ role: "system", content });
const call = (given: unknown, id = "a"): ToolCall => ({
  id,
  type: "function",
  function: { name: "add", arguments: given },
});
const calls = (...tool_calls: ToolCall[]): ChatMessage => ({
  role: "assistant",
  content: null,
  tool_calls,
});
const text = (one: string): { type: "text"; text: string } => ({ type: "text", text: one });

const each = (print: string): string =>
  `{%- for m in messages -%}{{ m.role[0] }}[{{ m.content }}]${print}{%- endfor -%}`;
const PLAIN = each("");

describe("content", () => {
  it("may be null, left out, or in parts, and fields that are null are not there", () => {
    const template = each("{{ m.tool_calls is defined }}{{ m.refusal is defined }}");
    const message = { role: "assistant", refusal: null, tool_calls: [] };
    expect(show(template, [{ ...message, content: null }, message, user([])])).toBe(
      "a[]FalseFalsea[]FalseFalseu[]FalseFalse",
    );
    expect(show(PLAIN, [user([text("one"), text("two")])])).toBe("u[one\ntwo]");
  });

  it("is a list of parts for a template that takes nothing else, whoever speaks", () => {
    const parts =
      "{%- for m in messages -%}{%- for p in m.content -%}{{ p.text }};{%- endfor -%}{%- endfor -%}";
    const said = [system("s"), user([text("one"), text("two")]), user("three")];
    expect(show(parts, said)).toBe("s;one;two;three;");
  });

  it("of another type than text is an error that names the type", () => {
    const image = { type: "image_url", image_url: { url: "x" } };
    for (const part of [image, { type: "text" }] as never[]) {
      const run = (): string => show(PLAIN, [user([part])]);
      expect(run).toThrow(WebggufError);
      expect(run).toThrow((part as { type: string }).type);
    }
  });
});

describe("system messages", () => {
  const noSystem = `{%- for m in messages -%}{%- if m.role != "system" -%}{{ m.role[0] }}[{{ m.content }}]{%- endif -%}{%- endfor -%}`;
  const refusing = `{%- if messages[0].role == "system" -%}{{ raise_exception("no") }}{%- endif -%}${PLAIN}`;
  const first = `{%- if messages[0].role == "system" -%}s[{{ messages[0].content }}]{%- endif -%}${noSystem}`;
  const last = `{%- for m in messages if m.role == "system" -%}{%- if loop.last -%}s[{{ m.content }}]{%- endif -%}{%- endfor -%}${noSystem}`;

  it("and a developer's are the same", () => {
    expect(show(PLAIN, [{ role: "developer", content: "brief" }, user("hi")])).toBe(
      "s[brief]u[hi]",
    );
  });

  it("stand before the first user's message where a template drops or refuses them", () => {
    for (const template of [noSystem, refusing]) {
      expect(show(template, [system("brief"), user([text("hi"), text("you")])])).toBe(
        "u[brief\nhi\nyou]",
      );
      expect(show(template, [system("a"), system("b"), calls(), user("hi")])).toBe(
        "a[]u[a\nb\nhi]",
      );
      expect(show(template, [system("brief")])).toBe("u[brief]");
    }
  });

  it("are never lost where a template knows one only", () => {
    const said = [system("a"), system("b"), user("hi"), system("c"), user("you"), system("d")];
    for (const template of [first, last])
      expect(show(template, said)).toBe("s[a\nb]u[hi]u[c\nyou]u[d]");
    expect(show(PLAIN, said)).toBe("s[a]s[b]u[hi]s[c]u[you]s[d]");
  });
});

describe("arguments of calls", () => {
  const over = (print: string): string =>
    each(`{%- for c in m.tool_calls or [] -%}${print}{%- endfor -%}`);
  const shown = (print: string, given: unknown): string =>
    show(over(print), [user("x"), calls(call(given))]).slice("u[x]a[]".length);
  const json = "{{ c.function.arguments | tojson }}";
  const pairs = "{% for k, v in c.function.arguments.items() %}<{{ k }}>{{ v }}{% endfor %}";
  const plain = "{{ c.function.arguments }}";
  const both = `{% if c.function.arguments is string %}${plain}{% else %}${json}{% endif %}`;

  it("are an object where a template writes objects, however they are given", () => {
    for (const given of ['{"a":1}', { a: 1 }]) {
      expect(shown(json, given)).toBe('{"a": 1}');
      expect(shown(both, given)).toBe('{"a": 1}');
      expect(shown(pairs, given)).toBe("<a>1");
    }
    expect(shown(pairs, "")).toBe("");
  });

  it("are text where a template writes them as they are", () => {
    expect(shown(plain, { a: 1 })).toBe('{"a":1}');
    expect(shown(plain, '{"a":  1}')).toBe('{"a":  1}');
  });

  it("keep all digits of a long number, and digits in texts", () => {
    const given =
      '{"id":-12345678901234567890,"x":"12345678901234567890","y":1.00000000000000005,"z":[9007199254740993]}';
    expect(shown(json, given)).toBe(
      '{"id": -12345678901234567890, "x": "12345678901234567890", "y": 1.0, "z": [9007199254740993]}'.replace(
        "1.0,",
        "1,",
      ),
    );
    const specials = ["<|x|>"];
    const template = new ChatTemplate(over(json), facts);
    const cut = template.renderSegments([user("<"), calls(call(given))], [], {}, specials);
    expect(cut.map((one) => one.text).join("")).toContain("-12345678901234567890");
  });

  it("that are broken stay the text that they are, of an unfinished call too", () => {
    const broken = { ...call("{ broken"), unfinished: true as const };
    expect(show(over(plain), [user("x"), calls(broken)])).toBe("u[x]a[]{ broken");
  });
});

describe("thoughts", () => {
  const said: ChatMessage[] = [
    user("x"),
    { role: "assistant", content: "y", reasoning_content: "hm" },
  ];
  it("go where a template looks for them", () => {
    for (const field of ["reasoning_content", "reasoning", "thinking"])
      expect(show(each(`{{ m.${field} }}`), said)).toBe("u[x]a[y]hm");
    const chunks =
      "{%- for m in messages -%}{%- if m.content is string -%}{{ m.content }}{%- else -%}{%- for p in m.content -%}({{ p[p.type] }}){%- endfor -%}{%- endif -%}{%- endfor -%}";
    expect(show(chunks, said)).toBe("x(hm)(y)");
  });

  it("are no dump where a template has no place for them", () => {
    expect(show(PLAIN, said)).toBe("u[x]a[y]");
    expect(show(each("").replace("m.content", "m.content | tojson"), said)).toBe('u["x"]a["y"]');
  });
});

describe("a template that works too hard", () => {
  const work =
    "{% for i in range(99999) %}{% for j in range(99999) %}{% set x = i ~ j %}{% endfor %}{% endfor %}";
  const said = [system("s"), user("a"), { role: "assistant", content: "b" }, user("c")];
  it("at small conversations is not tried again, and renders what it can", () => {
    const template = `{% if messages|length < 3 %}${work}{% endif %}${PLAIN}`;
    expect(show(template, said)).toBe("u[s\na]a[b]u[c]");
  });
  it("at every conversation is an error", () => {
    expect(() => show(work, said)).toThrow("too much work");
  });
});

describe("results of calls", () => {
  it("stand in the order of the calls where a template writes no ids", () => {
    const tool = (id: string): ChatMessage => ({ role: "tool", tool_call_id: id, content: id });
    const said = [user("x"), calls(call({}, "a"), call({}, "b")), tool("b"), tool("a")];
    expect(show(PLAIN, said)).toBe("u[x]a[]t[a]t[b]");
    expect(show(each("{{ m.tool_call_id }}"), said)).toBe("u[x]a[]t[b]bt[a]a");
  });
});

describe("variables of a template", () => {
  const now = new Date(2025, 2, 4, 23, 30);
  it("tell today's date, unless the caller does", () => {
    const template = "{{ date_string }}, {{ datetime }}, {{ strftime_now('%d %b %Y') }}";
    expect(show(template, [user("x")], { now })).toBe("04 Mar 2025, Mar 04 2025, 04 Mar 2025");
    const kwargs = { date_string: "never" };
    expect(show("{{ date_string }}", [user("x")], { now, kwargs })).toBe("never");
    const year = String(new Date().getFullYear());
    expect(show("{{ date_string }}", [user("x")])).toContain(year);
  });

  it("have one name for keeping thoughts", () => {
    const template = "{{ preserve_thinking }}{{ clear_thinking }}{{ drop_thinking }}";
    expect(show(template, [user("x")], { kwargs: { preserve_reasoning: true } })).toBe(
      "TrueFalseFalse",
    );
    expect(show(template, [user("x")])).toBe("");
  });

  it("have tools with all their fields", () => {
    const template = new ChatTemplate("{{ tools | tojson }}", facts);
    const bare = [{ type: "function" as const, function: { name: "f" } }];
    expect(template.render([user("x")], bare)).toBe(
      '[{"type": "function", "function": {"name": "f", "description": "", "parameters": {}}}]',
    );
  });
});
