/** What callers give is checked by its description: all that is wrong is `input/invalid` and named. */
import { describe, expect, it } from "vitest";
import { WebggufError } from "../../src/base/errors.ts";
import { checkOptions, type Rules } from "../../src/base/options.ts";
import { checkMessages, toolsRule } from "../../src/chat/check.ts";
import { renderRules } from "../../src/chat/options.ts";
import { samplingDefaults } from "../../src/sample/types.ts";
import { checkGenerate, generateRules, loadRules } from "../../src/session/options.ts";
import type { GenerateOptions, LoadOptions, Prompt } from "../../src/session/types.ts";

/** The error of a call; undefined where it throws none. */
function failure(call: () => unknown): WebggufError | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(WebggufError);
    return error as WebggufError;
  }
}

const anything = (value: unknown): never => value as never;

/** One value of each kind that JavaScript has; no option takes most of them. */
const kinds: readonly unknown[] = [
  null,
  true,
  "no such word",
  -7,
  1.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  10n,
  Symbol("x"),
  () => 1,
  [undefined],
  [[]],
  new Map(),
  new Date(Number.NaN),
  Object.create(null),
  { more: 1 },
];

const tables = [
  ["load", loadRules],
  ["generate", generateRules],
  ["render", renderRules],
] as const;

describe.each(tables)("the options of %s", (_, table) => {
  const rules = table as Rules<Record<string, unknown>>;
  const names = Object.keys(rules);
  const refused = (options: unknown): WebggufError | undefined =>
    failure(() => checkOptions(anything(options), rules));

  it.each(names)("%s refuses null and most other kinds, and is named", (name) => {
    const errors = kinds.map((value) => refused({ [name]: value }));
    for (const error of errors)
      if (error) {
        expect(error.code).toBe("input/invalid");
        expect(error.key).toMatch(new RegExp(`^${name}\\b`));
        expect(error.message).toContain(name);
        expect(error.message.length).toBeLessThan(400);
      }
    expect(errors[0]).toBeDefined();
    expect(errors.filter(Boolean).length).toBeGreaterThanOrEqual(kinds.length - 5);
  });

  it("may be left out, undefined, or inherited", () => {
    expect(refused({})).toBeUndefined();
    expect(refused(Object.fromEntries(names.map((name) => [name, undefined])))).toBeUndefined();
    for (const name of names) expect(refused(Object.create({ [name]: 10n }))?.key).toBe(name);
  });

  it("are an object", () => {
    for (const options of [null, 5, "x", [], 1n, Symbol("x")])
      expect(refused(options)?.code).toBe("input/invalid");
  });

  it("suggest the nearest name for one that is misspelt", () => {
    for (const name of names) {
      const misspelt = `${name.slice(0, -1)}#`;
      expect(refused({ [misspelt]: 1 })?.message).toContain(`did you mean `);
      expect(names).toContain(refused({ [misspelt]: 1 })?.expected);
    }
    expect(refused({ somethingElseAltogether: 1 })?.message).toContain("leave it out");
  });
});

describe("values of options", () => {
  const load = (options: LoadOptions) => failure(() => checkOptions(options, loadRules));
  const generate = (options: GenerateOptions) => failure(() => checkGenerate("x", options));

  it("are taken at their ends, and not beyond", () => {
    for (const [name, least, most] of [
      ["maxSequences", 1, 256],
      ["contextLength", 0, 2 ** 31 - 1],
      ["chunk", 1, 2 ** 31 - 1],
    ] as const) {
      for (const value of [least, most]) expect(load({ [name]: value })).toBeUndefined();
      for (const value of [least - 1, most + 1, least + 0.5])
        expect(load({ [name]: value })?.message).toContain(`from ${least} to ${most}`);
    }
    for (const [name, least] of [
      ["maxTokens", -1],
      ["logprobs", 0],
      ["seed", -1],
      ["repeatLastN", -1],
    ] as const) {
      expect(generate({ [name]: least })).toBeUndefined();
      expect(generate({ [name]: least - 1 })?.message).toContain(`at least ${least}`);
    }
  });

  it("are all the defaults, and what the guides show", () => {
    expect(generate(samplingDefaults)).toBeUndefined();
    expect(generate({ stop: "User:", logitBias: new Map([[1, 2]]) })).toBeUndefined();
    expect(generate({ stop: ["a", "b"], logitBias: { 1: -Infinity }, tools: [] })).toBeUndefined();
    expect(load({ cacheTypeK: "q8_0", int8: "auto", speculation: { draftMax: 3 } })).toBe(
      undefined,
    );
  });

  it("are named where they stand inside", () => {
    const wrong = (options: object) => failure(() => checkGenerate("x", anything(options)))?.key;
    expect(wrong({ samplers: ["top_k", "best"] })).toBe("samplers[1]");
    expect(wrong({ stop: ["a", 1] })).toBe("stop[1]");
    expect(wrong({ template: { now: 5 } })).toBe("template.now");
    expect(wrong({ template: { kwargs: { a: 10n } } })).toBe("template.kwargs");
    expect(wrong({ template: { templates: "x" } })).toBe("template.templates");
    expect(wrong({ tools: [{ type: "function" }] })).toBe("tools[0].function");
    const drafts = { speculation: { draftMax: 0 } };
    expect(load(drafts)?.key).toBe("speculation.draftMax");
    expect(load({ tuning: [{ adapter: "x", tile: 0.5 }] })?.key).toBe("tuning[0].tile");
  });

  it("stand in messages quoted and cut", () => {
    const value = `${"\u001b[2J"}${"x".repeat(1e6)}`;
    const { message } = load({ device: anything([value]) }) ?? { message: "" };
    expect(message.length).toBeLessThan(200);
    const named = failure(() => checkOptions(anything({ [value]: 1 }), loadRules))?.message ?? "";
    expect(named.length).toBeLessThan(300);
    expect(named.includes("\u001b")).toBe(false);
  });
});

describe("prompts", () => {
  const refused = (prompt: unknown) => failure(() => checkGenerate(prompt as Prompt, {}));

  it("are texts, lists of ids, parts and messages", () => {
    for (const prompt of ["", [1, 2], new Int32Array(3), { length: 1, 0: 5 }, [[1], [2]], []])
      expect(refused(prompt)).toBeUndefined();
    expect(refused([{ rows: new Float32Array(4) }, [1]])).toBeUndefined();
    expect(refused([{ role: "user", content: "x" }])).toBeUndefined();
  });

  it("are nothing else, and a claimed length costs nothing", () => {
    for (const prompt of [null, undefined, 5, true, () => 1, {}, { length: -1 }, ["1"], [1, null]])
      expect(refused(prompt)?.code).toBe("input/invalid");
    for (const length of [2 ** 31, 2 ** 53 - 1, Number.NaN, "3", 1.5])
      expect(refused({ length })?.code).toBe("input/invalid");
    expect(refused([{ rows: [1, 2] }])?.key).toBe("parts[0].rows");
    // A part that has rows is read as rows, whatever else it is.
    for (const rows of [undefined, null, 7, "x", {}])
      for (const part of [{ rows }, Object.assign([1, 2], { rows }), { rows, length: 1, 0: 3 }])
        expect(refused([[1], part])?.key).toBe("parts[1].rows");
    expect(refused([[1], { rows: 1 }])?.key).toBe("parts[1].rows");
    expect(refused([[1], 7])?.key).toBe("parts[1]");
  });
});

describe("conversations", () => {
  const user = { role: "user", content: "Hi" };
  const named = (...messages: unknown[]) =>
    failure(() => checkMessages(messages as never))?.key ?? "taken";
  const calling = (...calls: unknown[]) => ({ role: "assistant", tool_calls: calls });

  it("are taken as clients keep them", () => {
    const call = { id: "1", type: "function", function: { name: "f", arguments: "{}" } };
    for (const message of [
      user,
      { role: "assistant", content: null, refusal: null, tool_calls: null, name: null },
      { role: "assistant", content: null, tool_calls: [call] },
      calling({ id: null, type: null, function: { name: "f", arguments: {} } }),
      { role: "user", content: [{ type: "text", text: "Hi" }] },
      { role: "someone", content: "", weight: 1 },
      { role: "assistant", reasoning_content: "Hm" },
    ])
      expect(named(user, message)).toBe("taken");
  });

  it.each<[string, unknown]>([
    ["messages[1]", null],
    ["messages[1]", "Hi"],
    ["messages[1]", undefined],
    ["messages[1]", [user]],
    ["messages[1]", { role: "user" }],
    ["messages[1]", { ...user, more: 10n }],
    ["messages[1]", { ...user, more: () => 1 }],
    ["messages[1].role", { content: "Hi" }],
    ["messages[1].role", { role: 7, content: "Hi" }],
    ["messages[1].role", { role: null, content: "Hi" }],
    ["messages[1].content", { role: "user", content: 5 }],
    ["messages[1].content", { role: "user", content: { text: "Hi" } }],
    ["messages[1].content", { role: "user", content: ["Hi"] }],
    ["messages[1].content", { role: "user", content: [{ text: "Hi" }] }],
    ["messages[1].content", { role: "user", content: [{ type: "text", text: 5 }] }],
    ["messages[1].reasoning_content", { ...user, reasoning_content: 5 }],
    ["messages[1].tool_calls", calling() && { ...user, tool_calls: {} }],
    ["messages[1].tool_calls[0]", calling(null)],
    ["messages[1].tool_calls[0].function", calling({})],
    ["messages[1].tool_calls[0].function", calling({ function: "f" })],
    ["messages[1].tool_calls[0].function.name", calling({ function: { arguments: "" } })],
    ["messages[1].tool_calls[0].function.arguments", calling({ function: { name: "f" } })],
    ["messages[1].tool_call_id", { role: "tool", content: "1", tool_call_id: 1 }],
  ])("name %s", (key, message) => {
    expect(named(user, message)).toBe(key);
  });

  it("and tools that contain themselves are no data", () => {
    const self: Record<string, unknown> = { role: "user", content: "Hi" };
    self["self"] = { list: [self, self] };
    expect(named(self)).toBe("messages[0]");
    const parameters: Record<string, unknown> = {};
    parameters["properties"] = { again: parameters };
    const tools = [{ type: "function", function: { name: "f", parameters } }];
    expect(failure(() => toolsRule(tools, "tools"))?.key).toBe("tools");
  });

  it("that share a part many times over are walked through once", () => {
    let shared: object = {};
    for (let i = 0; i < 60; i++) shared = { a: shared, b: shared };
    expect(named({ ...user, shared })).toBe("taken");
  });
});
