/** Clients hold a model to tools and forms, embed, and go on in a second turn; an agent's second turn is cached. */
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import Anthropic from "@anthropic-ai/sdk";
import { ChatOpenAI, OpenAIEmbeddings } from "@langchain/openai";
import { embed, generateObject, generateText, jsonSchema, stepCountIs, tool } from "ai";
import OpenAI from "openai";
import { afterAll, describe, expect, it } from "vitest";
import { callingModel, type Json, loadTale, proxied, type Tested, testApp } from "./app.ts";

const QUESTION = "What is 7 + 5?";
const messages = [{ role: "user" as const, content: QUESTION }];
const digit = { type: "integer" as const, minimum: 0, maximum: 9 };
const parameters = { type: "object" as const, properties: { a: digit }, required: ["a"] };
const form = {
  type: "object" as const,
  properties: { sum: digit, ok: { type: "boolean" as const } },
  required: ["sum", "ok"],
  additionalProperties: false,
};
const isDigit = (value: unknown): boolean =>
  Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 9;

const app = testApp();
const calling = testApp(undefined, {
  load: async (...args) => callingModel(await loadTale(...args)),
});
const vector = (length: number): number[] => [length / 4, 1, -0.5];
const embedding = testApp(undefined, {
  load: async (...args) => {
    const real = await loadTale(...args);
    return {
      ...proxied(real),
      embed: async (texts) =>
        texts.map(({ length }) => ({ vector: Float32Array.from(vector(length)), tokens: length })),
    };
  },
});
afterAll(async () => {
  for (const one of [app, calling, embedding]) await one.close();
});

const fetchOf =
  (tested: Tested) =>
  (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    const { pathname, search } = new URL(input instanceof Request ? input.url : input);
    return tested.request(pathname + search, init);
  };
const address = { baseURL: "http://localhost/v1", apiKey: "none", maxRetries: 0 };

describe("openai", () => {
  const client = new OpenAI({ ...address, fetch: fetchOf(calling) });
  const ask = { model: "tale", messages, temperature: 0 };
  const tools = ["add", "look"].map((name) => ({
    type: "function" as const,
    function: { name, parameters },
  }));

  it("calls the tool that is named, and some tool where one is required; both turns", async () => {
    const named = { type: "function" as const, function: { name: "look" } };
    for (const choice of [named, "required" as const]) {
      const options = { ...ask, tools, tool_choice: choice, parallel_tool_calls: false };
      const { choices } = await client.chat.completions.create(options);
      const { message, finish_reason } = choices[0];
      const [call] = message.tool_calls!;
      if (call.type !== "function") throw new Error("No function");
      expect([finish_reason, message.tool_calls!.length]).toEqual(["tool_calls", 1]);
      if (choice === named) expect(call.function.name).toBe("look");
      expect(isDigit(JSON.parse(call.function.arguments).a)).toBe(true);
      const streamed = await client.chat.completions.stream(options).finalMessage();
      const [again] = streamed.tool_calls!;
      expect(again.type === "function" && again.function).toMatchObject(call.function);
      const result = { role: "tool" as const, tool_call_id: call.id, content: "12" };
      const next = await client.chat.completions.create({
        ...{ ...ask, tools, max_tokens: 4, messages: [...messages, message, result] },
        tool_choice: "none",
      });
      expect(next.choices[0].message.tool_calls).toBeUndefined();
    }
  });

  it("parses answers of a form", async () => {
    const { choices } = await client.chat.completions.parse({
      ...ask,
      response_format: {
        type: "json_schema",
        json_schema: { name: "sum", schema: form, strict: true },
      },
    });
    const sum = choices[0].message.parsed as Json;
    expect([isDigit(sum.sum), typeof sum.ok]).toEqual([true, "boolean"]);
    const response = await client.responses.parse({
      ...{ model: "tale", input: QUESTION, temperature: 0 },
      text: { format: { type: "json_schema", name: "sum", schema: form, strict: true } },
    });
    expect(isDigit((response.output_parsed as Json).sum)).toBe(true);
  });

  it("embeds", async () => {
    const own = new OpenAI({ ...address, fetch: fetchOf(embedding) });
    // The client asks for base64 by itself and reads it.
    const { data, usage } = await own.embeddings.create({ model: "tale", input: ["ab", "abcd"] });
    expect(data.map((one) => one.embedding)).toEqual([vector(2), vector(4)]);
    expect(usage.total_tokens).toBe(6);
  });
});

describe("@anthropic-ai/sdk", () => {
  const options = { baseURL: "http://localhost", apiKey: "none", maxRetries: 0 };
  const client = new Anthropic({ ...options, fetch: fetchOf(calling) });

  it("calls the tool that is named, any, and goes on with its result", async () => {
    const tools = ["add", "look"].map((name) => ({ name, input_schema: parameters }));
    const ask = { model: "tale", max_tokens: 200, messages, temperature: 0, tools };
    for (const tool_choice of [
      { type: "tool" as const, name: "look", disable_parallel_tool_use: true },
      { type: "any" as const, disable_parallel_tool_use: true },
    ]) {
      const { content, stop_reason } = await client.messages.create({ ...ask, tool_choice });
      expect(stop_reason).toBe("tool_use");
      const [use] = content.filter((block) => block.type === "tool_use");
      if (tool_choice.type === "tool") expect(use.name).toBe("look");
      expect(isDigit((use.input as Json).a)).toBe(true);
      const result = { type: "tool_result" as const, tool_use_id: use.id, content: "12" };
      const next = await client.messages.create({
        ...{ ...ask, max_tokens: 3, tool_choice: { type: "none" as const } },
        messages: [
          ...messages,
          { role: "assistant", content },
          { role: "user", content: [result] },
        ],
      });
      expect(next.content.every(({ type }) => type === "text")).toBe(true);
    }
  });
});

describe("ai with @ai-sdk/openai-compatible", () => {
  const provider = (tested: Tested) =>
    createOpenAICompatible({
      ...{ name: "local", baseURL: address.baseURL, supportsStructuredOutputs: true },
      fetch: fetchOf(tested),
    });
  const ask = { prompt: QUESTION, temperature: 0, maxRetries: 0 };

  it("calls the tool that is named and goes on with what it gave", async () => {
    const given: unknown[] = [];
    const look = tool({
      inputSchema: jsonSchema<{ a: number }>(parameters),
      execute: async ({ a }) => {
        given.push(a);
        return a + 1;
      },
    });
    const { steps } = await generateText({
      ...{ ...ask, model: provider(calling).chatModel("tale"), tools: { look } },
      toolChoice: { type: "tool", toolName: "look" },
      stopWhen: stepCountIs(2),
    });
    expect(steps).toHaveLength(2);
    expect(given.every(isDigit)).toBe(true);
    expect(steps[0].toolResults[0].output).toBe(Number(given[0]) + 1);
  });

  it("reads objects of a schema, and embeds", async () => {
    const { object } = await generateObject({
      ...{ ...ask, model: provider(calling).chatModel("tale") },
      schema: jsonSchema<{ sum: number }>(form),
    });
    expect(isDigit(object.sum)).toBe(true);
    const model = provider(embedding).embeddingModel("tale");
    expect((await embed({ model, value: "abc", maxRetries: 0 })).embedding).toEqual(vector(3));
  });
});

describe("@langchain/openai", () => {
  const settings = { model: "tale", apiKey: "none", temperature: 0, maxRetries: 0 };
  const configuration = { baseURL: address.baseURL, fetch: fetchOf(calling) };

  it("calls the tool that is named, and reads answers of a schema", async () => {
    const model = new ChatOpenAI({ ...settings, configuration });
    const look = { type: "function" as const, function: { name: "look", parameters } };
    const named = { type: "function" as const, function: { name: "look" } };
    const called = await model.bindTools([look], { tool_choice: named }).invoke(QUESTION);
    expect(called.tool_calls!.map(({ name, args }) => [name, isDigit(args.a)])).toContainEqual([
      "look",
      true,
    ]);
    const formed = model.withStructuredOutput(form, { name: "sum", method: "jsonSchema" });
    expect(isDigit(((await formed.invoke(QUESTION)) as Json).sum)).toBe(true);
  });

  it("embeds", async () => {
    const own = { baseURL: address.baseURL, fetch: fetchOf(embedding) };
    const model = new OpenAIEmbeddings({ model: "tale", apiKey: "none", configuration: own });
    expect(await model.embedDocuments(["a", "abc"])).toEqual([vector(1), vector(3)]);
  });
});

describe("a coding agent", () => {
  const rules = "You are an agent that edits files. Read before you write, and answer briefly. ";
  const ask = (turns: readonly object[], billing: number): object => ({
    ...{ model: "tale", max_tokens: 4, temperature: 0, messages: turns },
    system: [
      {
        type: "text",
        text: `x-anthropic-billing-header: cc_version=2.1.${billing}; cch=${billing};`,
      },
      { type: "text", text: rules.repeat(9), cache_control: { type: "ephemeral" } },
    ],
    tools: [{ name: "look", description: "reads a file", input_schema: parameters }],
    metadata: { user_id: `user_${billing}` },
  });
  const first = { role: "user", content: [{ type: "text", text: "Fix the test." }] };

  it("has at least 95 % of its second turn in the cache, whatever its billing block says", async () => {
    const { body } = await app.post("/v1/messages", ask([first], 1));
    const second = {
      role: "user",
      content: [{ type: "text", text: "Go on.", cache_control: { type: "ephemeral" } }],
    };
    const turns = [first, { role: "assistant", content: body.content }, second];
    // Others ask meanwhile.
    await Promise.all(
      ["a", "b"].map((content) =>
        app.post("/v1/messages", {
          ...{ model: "tale", max_tokens: 2, messages: [{ role: "user", content }] },
        }),
      ),
    );
    const { usage } = (await app.post("/v1/messages", ask(turns, 2))).body;
    const all = usage.cache_read_input_tokens + usage.input_tokens;
    expect(usage.cache_read_input_tokens / all).toBeGreaterThanOrEqual(0.95);
    // In OpenAI's form, with the same conversation said again.
    const system = { role: "system", content: rules.repeat(9) };
    const user = { role: "user", content: "Fix it." };
    const chat = { temperature: 0, max_tokens: 4 };
    const one = (await app.post("/v1/chat/completions", { ...chat, messages: [system, user] }))
      .body;
    const two = await app.post("/v1/chat/completions", {
      ...chat,
      messages: [system, user, one.choices[0].message, { role: "user", content: "Go." }],
    });
    const { prompt_tokens, prompt_tokens_details } = two.body.usage;
    expect(prompt_tokens_details.cached_tokens / prompt_tokens).toBeGreaterThanOrEqual(0.95);
  });
});
