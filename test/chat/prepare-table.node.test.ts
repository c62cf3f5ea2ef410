/**
 * Conversations as clients keep them, in every template that the tests know: each must become the prompt
 * that the bare template makes of messages prepared by hand as llama.cpp does, with what is known of the
 * templates in the tables below, and every word of it must be there.
 */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { WebggufError } from "../../src/base/errors.ts";
import type { ChatMessage, ToolDefinition } from "../../src/chat/messages.ts";
import { ChatTemplate } from "../../src/chat/template.ts";

const now = new Date(2025, 0, 1);
const facts = { bosToken: "<s>", eosToken: "</s>" };

/** Templates by name: those of the repository, and those beside it where they are. */
function readTemplates(): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const folder of [
    "../fixtures/reference/templates/",
    "../../../shared/reference/templates/",
  ]) {
    const url = new URL(folder, import.meta.url);
    try {
      for (const file of readdirSync(url))
        if (file.endsWith(".jinja"))
          found.set(file.replace(".jinja", ""), readFileSync(new URL(file, url), "utf8"));
    } catch {
      // The folder beside the repository is not everywhere.
    }
  }
  return found;
}
const templates = [...readTemplates()].map(
  ([name, source]) => [name, new ChatTemplate(source, { ...facts, file: name })] as const,
);

const NO_SYSTEM = ["google-gemma-2-2b-it"];
/** These take one system message, at the beginning. */
const ONE_SYSTEM = [
  "Apertus-8B-Instruct",
  "Bielik-11B-v3.0-Instruct",
  "HuggingFaceTB-SmolLM3-3B",
  "MiniMax-M1",
  "MiniMax-M2",
  "MiniMax-M3",
  "Mistral-Small-3.2-24B-Instruct-2506",
  "NVIDIA-Nemotron-Nano-v2",
  "Qwen3.5-4B",
  "Reka-Edge",
  "deepseek-ai-DeepSeek-R1-Distill-Llama-8B",
  "deepseek-ai-DeepSeek-R1-Distill-Qwen-32B",
  "llama-cpp-deepseek-r1",
  "llama-cpp-rwkv-world",
  "mistralai-Ministral-3-14B-Reasoning-2512",
  "mistralai-Mistral-Nemo-Instruct-2407",
  "openai-gpt-oss-120b",
];
/** Where thoughts go, if not into `reasoning_content`. */
const THOUGHT_FIELDS: Readonly<Record<string, string>> = {
  "LFM2.5-8B-A1B": "thinking",
  "openai-gpt-oss-120b": "thinking",
  "upstage-Solar-Open-100B": "reasoning",
};
const THOUGHT_CHUNKS = ["mistralai-Ministral-3-14B-Reasoning-2512"];
/** Arguments are written as they are, so that they must be JSON text. */
const TEXT_ARGUMENTS = ["meetkai-functionary-medium-v3.2"];
/** Templates that write no calls, and those that write no results either. */
const NO_CALLS = [
  "HuggingFaceTB-SmolLM3-3B",
  "LFM2-8B-A1B",
  "LFM2.5-Instruct",
  "deepseek-ai-DeepSeek-R1-Distill-Llama-8B",
  "ibm-granite-granite-3.3-2B-Instruct",
];
const NO_RESULTS = ["llama-cpp-rwkv-world", "microsoft-Phi-3.5-mini-instruct"];

const tools: ToolDefinition[] = [
  {
    type: "function",
    function: {
      name: "get_weather",
      description: "Weather",
      parameters: { type: "object", properties: { city: { type: "string" } } },
    },
  },
];
type Hand = Record<string, unknown>;
const parts = (...texts: string[]): { type: "text"; text: string }[] =>
  texts.map((text) => ({ type: "text", text }));
const say = (role: string, content: unknown, more: Hand = {}): ChatMessage & Hand =>
  ({ role, content, ...more }) as ChatMessage & Hand;
const user = (content: unknown): ChatMessage & Hand => say("user", content);
const calling = (given: unknown, content: unknown, more: Hand = {}): ChatMessage & Hand =>
  say("assistant", content, {
    tool_calls: [
      { id: "abc123456", type: "function", function: { name: "get_weather", arguments: given } },
    ],
    ...more,
  });
const result = (content: unknown): ChatMessage & Hand =>
  say("tool", content, { tool_call_id: "abc123456", name: "get_weather" });

/** A conversation as it is sent; the same prepared by hand for a template; its words. */
interface Form {
  readonly sent: readonly ChatMessage[];
  readonly hand: (name: string) => readonly Hand[];
  readonly words: readonly string[];
  readonly tools?: readonly ToolDefinition[];
}

const city = (name: string): unknown =>
  TEXT_ARGUMENTS.includes(name) ? '{"city":"Paris"}' : { city: "Paris" };
const thinking = (name: string, message: Hand): Hand => {
  if (THOUGHT_CHUNKS.includes(name))
    return {
      ...message,
      content: [
        { type: "thinking", thinking: "Thought" },
        ...parts(...(message["content"] === undefined ? [""] : [String(message["content"])])),
      ],
    };
  const field = THOUGHT_FIELDS[name] ?? "reasoning_content";
  // These refuse content beside a thought before a call.
  const dropped = field === "thinking" && message["tool_calls"] ? { content: undefined } : {};
  return { ...message, [field]: "Thought", ...dropped };
};

const FORMS: Readonly<Record<string, Form>> = {
  "content null beside calls": {
    sent: [user("Where?"), calling({ city: "Paris" }, null), result("sunny")],
    hand: (name) => [user("Where?"), calling(city(name), ""), result("sunny")],
    words: ["Where?", "Paris", "sunny"],
    tools,
  },
  "arguments as JSON text": {
    sent: [user("Where?"), calling('{"city":"Paris"}', ""), result("sunny")],
    hand: (name) => [user("Where?"), calling(city(name), ""), result("sunny")],
    words: ["Where?", "Paris", "sunny"],
    tools,
  },
  "no arguments at all": {
    sent: [user("Where?"), calling("", null), result("sunny")],
    hand: (name) => [
      user("Where?"),
      calling(TEXT_ARGUMENTS.includes(name) ? "" : {}, ""),
      result("sunny"),
    ],
    words: ["Where?", "sunny"],
    tools,
  },
  "a user's text in parts": {
    sent: [user(parts("one", "two"))],
    hand: () => [user("one\ntwo")],
    words: ["one", "two"],
  },
  "everybody's text in parts": {
    sent: [
      say("system", parts("Be", "brief")),
      user(parts("one", "two")),
      say("assistant", parts("three")),
      user("four"),
    ],
    hand: (name) =>
      NO_SYSTEM.includes(name)
        ? [user("Be\nbrief\none\ntwo"), say("assistant", "three"), user("four")]
        : [say("system", "Be\nbrief"), user("one\ntwo"), say("assistant", "three"), user("four")],
    words: ["Be", "brief", "one", "two", "three", "four"],
  },
  "a result in parts": {
    sent: [user("Where?"), calling({ city: "Paris" }, null), result(parts("sunny", "warm"))],
    hand: (name) => [user("Where?"), calling(city(name), ""), result("sunny\nwarm")],
    words: ["Where?", "Paris", "sunny", "warm"],
    tools,
  },
  "a developer": {
    sent: [say("developer", "Be brief."), user("Hi")],
    hand: (name) =>
      NO_SYSTEM.includes(name) ? [user("Be brief.\nHi")] : [say("system", "Be brief."), user("Hi")],
    words: ["Be brief.", "Hi"],
  },
  "system and developer": {
    sent: [say("system", "Be brief."), say("developer", "Be kind."), user("Hi")],
    hand: (name) =>
      NO_SYSTEM.includes(name)
        ? [user("Be brief.\nBe kind.\nHi")]
        : ONE_SYSTEM.includes(name)
          ? [say("system", "Be brief.\nBe kind."), user("Hi")]
          : [say("system", "Be brief."), say("system", "Be kind."), user("Hi")],
    words: ["Be brief.", "Be kind.", "Hi"],
  },
  "a later system message": {
    sent: [user("Hi"), say("assistant", "Hello"), say("system", "Be brief."), user("More")],
    hand: (name) => [
      user("Hi"),
      say("assistant", "Hello"),
      ...([...NO_SYSTEM, ...ONE_SYSTEM].includes(name)
        ? [user("Be brief.\nMore")]
        : [say("system", "Be brief."), user("More")]),
    ],
    words: ["Hi", "Hello", "Be brief.", "More"],
  },
  "a thought": {
    sent: [user("Hi"), say("assistant", "Hello", { reasoning_content: "Thought" }), user("More")],
    hand: (name) => [user("Hi"), thinking(name, say("assistant", "Hello")), user("More")],
    words: ["Hi", "Hello", "More"],
  },
  "a thought before a call": {
    sent: [
      user("Where?"),
      calling('{"city":"Paris"}', null, { reasoning_content: "Thought" }),
      result("sunny"),
    ],
    hand: (name) => [user("Where?"), thinking(name, calling(city(name), "")), result("sunny")],
    words: ["Where?", "Paris", "sunny"],
    tools,
  },
  "fields that are null": {
    sent: [
      user("Hi"),
      say("assistant", "Hello", {
        refusal: null,
        tool_calls: [],
        function_call: null,
        reasoning_content: null,
      }),
      user("More"),
    ],
    hand: () => [user("Hi"), say("assistant", "Hello"), user("More")],
    words: ["Hi", "Hello", "More"],
  },
  "an earlier answer with its marks": {
    sent: [user("Hi"), say("assistant", "<think>\nThought\n</think>\n\nHello"), user("More")],
    hand: () => [user("Hi"), say("assistant", "<think>\nThought\n</think>\n\nHello"), user("More")],
    words: ["Hi", "Hello", "More"],
  },
};

/** What comes out, or "refused". */
function outcome(render: () => string): string {
  try {
    return render();
  } catch (error) {
    if (error instanceof WebggufError && error.code === "template/failed") return "refused";
    throw error;
  }
}

/** What is wrong with a form in a template, in words. */
function faults(name: string, template: ChatTemplate, form: string): string[] {
  const { sent, hand, words, tools: given = [] } = FORMS[form];
  const got = outcome(() => template.render(sent, given, { now }));
  const wanted = outcome(() =>
    template.renderVariables(
      {
        ...{ bos_token: facts.bosToken, eos_token: facts.eosToken },
        ...{ date_string: "01 Jan 2025", datetime: "Jan 01 2025" },
        ...{ messages: hand(name), add_generation_prompt: true },
        ...(given.length > 0 && { tools: given }),
      },
      { now },
    ),
  );
  const found = got === wanted ? [] : [`${name}: another prompt`];
  if (got === "refused") return NO_SYSTEM.includes(name) ? found : [...found, `${name}: refused`];
  const without = [
    ...([...NO_CALLS, ...NO_RESULTS].includes(name) ? ["Paris"] : []),
    ...(NO_RESULTS.includes(name) ? ["sunny", "warm"] : []),
  ];
  const lost = words.filter((word) => !got.includes(word) && !without.includes(word));
  if (lost.length > 0) found.push(`${name}: lost ${lost}`);
  // No structure in Python's or JSON's words, no text in quotes twice.
  const dump = /'type': 'text'|"type": ?"text"|\\"city\\"|\[object/.exec(got);
  return dump ? [...found, `${name}: ${dump[0]}`] : found;
}

const where = templates.length < 70 ? "of the repository; ../shared/reference has more" : "";

describe(`conversations in ${templates.length} templates ${where}`, () => {
  it("are those of the repository at least", () => expect(templates.length).toBeGreaterThan(65));

  it.each(Object.keys(FORMS))("%s", (form) => {
    expect(templates.flatMap(([name, template]) => faults(name, template, form))).toEqual([]);
  });

  it("are told where one is lost, dumped, refused or another", () => {
    const form = "everybody's text in parts";
    const found = (source: string, name = "x"): string =>
      faults(name, new ChatTemplate(source, facts), form).join();
    const all = "{% for m in messages %}{{ m.content }}{% endfor %}";
    expect(found(all)).toBe("");
    expect(found("{{ messages[-1].content }}")).toContain("lost Be,brief,one");
    expect(found("{{ messages[1:] }}")).toContain("lost");
    expect(
      found("{% for m in messages %}{{ m.content | tojson }}{'type': 'text'}{% endfor %}"),
    ).toContain("'type'");
    expect(found("{{ raise_exception('no') }}")).toContain("refused");
    expect(found(all, NO_SYSTEM[0])).toContain("another prompt");
  });
});
