/** The clients that people use, newest versions, against the app: chat, streams, tools, errors, abort. */

import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import Anthropic from "@anthropic-ai/sdk";
import { HumanMessage } from "@langchain/core/messages";
import { ChatOpenAI } from "@langchain/openai";
import { generateText, jsonSchema, streamText, tool } from "ai";
import OpenAI from "openai";
import { afterAll, describe, expect, it } from "vitest";
import type { Answer, Piece } from "../../mod.ts";
import { loadTale, scriptedModel, type Tested, testApp } from "./app.ts";

const QUESTION = "What is 7 + 5?";
const ANSWER = "7 + 5 = 12.";
const messages = [{ role: "user" as const, content: QUESTION }];
const parameters = {
  type: "object" as const,
  properties: { a: { type: "number" as const }, b: { type: "number" as const } },
  required: ["a", "b"],
};

/** Two calls, as a model writes them. */
const calls: Answer["message"]["tool_calls"] = [
  { id: "c1", type: "function", function: { name: "add", arguments: '{"a":7,"b":5}' } },
  { id: "c2", type: "function", function: { name: "add", arguments: '{"a":1,"b":2}' } },
];
const written: Piece[] = calls!.flatMap((call, index): Piece[] => {
  const args = call.function.arguments as string;
  const part = { token: index, text: "", channel: "tool" as const };
  return [
    { ...part, toolCallPart: { index, id: call.id!, name: "add", arguments: "" } },
    { ...part, toolCallPart: { index, arguments: args.slice(0, 4) } },
    { ...part, toolCallPart: { index, arguments: args.slice(4) } },
    { ...part, toolCall: call },
  ];
});
const calling: Answer = {
  message: { role: "assistant", content: null, tool_calls: calls! },
  finishReason: "tool-calls",
  usage: { promptTokens: 9, cachedTokens: 0, completionTokens: 8, promptMs: 1, completionMs: 1 },
};

const app = testApp();
const tools = testApp(undefined, {
  load: async (...args) =>
    scriptedModel({ pieces: written, answer: calling }, await loadTale(...args)),
});
afterAll(async () => {
  await app.close();
  await tools.close();
});

const fetchOf =
  (tested: Tested) =>
  (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    const { pathname, search } = new URL(input instanceof Request ? input.url : input);
    return tested.request(pathname + search, init);
  };
const address = { baseURL: "http://localhost/v1", apiKey: "none", maxRetries: 0 };

describe("openai", () => {
  const client = new OpenAI({ ...address, fetch: fetchOf(app) });
  const caller = new OpenAI({ ...address, fetch: fetchOf(tools) });
  const ask = { model: "tale", messages, temperature: 0 };

  it("chats", async () => {
    const { choices, usage } = await client.chat.completions.create(ask);
    expect(choices[0].message.content).toBe(ANSWER);
    expect(usage!.total_tokens).toBeGreaterThan(0);
  });

  it("streams", async () => {
    let text = "";
    for await (const { choices } of await client.chat.completions.create({ ...ask, stream: true }))
      text += choices[0]?.delta.content ?? "";
    expect(text).toBe(ANSWER);
    const runner = client.chat.completions.stream({
      ...ask,
      stream_options: { include_usage: true },
    });
    expect(await runner.finalContent()).toBe(ANSWER);
    expect((await runner.totalUsage()).completion_tokens).toBeGreaterThan(0);
  });

  it("calls tools, parallel and streamed, in two turns", async () => {
    const add = { type: "function" as const, function: { name: "add", parameters } };
    const whole = await caller.chat.completions.create({ ...ask, tools: [add] });
    expect(whole.choices[0].finish_reason).toBe("tool_calls");
    const { message } = whole.choices[0];
    expect(message.tool_calls!.map((call) => call.type === "function" && call.function)).toEqual(
      calls!.map((call) => call.function),
    );
    const runner = caller.chat.completions.stream({ ...ask, tools: [add] });
    const streamed = (await runner.finalMessage()).tool_calls!;
    expect(streamed.map(({ id }) => id)).toEqual(["c1", "c2"]);
    const second = await client.chat.completions.create({
      ...ask,
      messages: [
        ...messages,
        message,
        ...["12", "3"].map((content, i) => ({
          role: "tool" as const,
          tool_call_id: calls![i].id!,
          content,
        })),
      ],
    });
    expect(second.choices[0].message.role).toBe("assistant");
  });

  it("completes, lists, responds", async () => {
    const done = await client.completions.create({ model: "tale", prompt: "Once", max_tokens: 4 });
    expect(done.choices[0].text.length).toBeGreaterThan(0);
    expect((await client.models.list()).data[0].id).toBe("tale");
    const response = await client.responses.create({
      model: "tale",
      input: QUESTION,
      temperature: 0,
    });
    expect(response.output_text).toBe(ANSWER);
    const stream = client.responses.stream({ model: "tale", input: QUESTION, temperature: 0 });
    expect((await stream.finalResponse()).output_text).toBe(ANSWER);
    const called = await caller.responses.create({ model: "tale", input: QUESTION });
    expect(called.output.filter(({ type }) => type === "function_call")).toHaveLength(2);
  });

  it("gets errors as its own classes", async () => {
    const wrong = client.chat.completions.create({ ...ask, temperature: 1000 });
    await expect(wrong).rejects.toBeInstanceOf(OpenAI.BadRequestError);
    await expect(wrong).rejects.toMatchObject({ param: "temperature" });
    await expect(client.models.retrieve("none")).rejects.toBeInstanceOf(OpenAI.NotFoundError);
  });

  it("aborts", async () => {
    const stream = await client.chat.completions.create({
      ...{ ...ask, stream: true, max_tokens: 400 },
      messages: [{ role: "user", content: "Tell me a story." }],
    });
    for await (const _ of stream) break;
    const slots = app.host.loaded()[0].slots;
    for (let i = 0; i < 300 && slots.busy > 0; i++) await new Promise((r) => setTimeout(r, 10));
    expect(slots.busy).toBe(0);
  });
});

describe("@anthropic-ai/sdk", () => {
  const options = { baseURL: "http://localhost", apiKey: "none", maxRetries: 0 };
  const client = new Anthropic({ ...options, fetch: fetchOf(app) });
  const caller = new Anthropic({ ...options, fetch: fetchOf(tools) });
  const ask = { model: "tale", max_tokens: 20, messages, temperature: 0 };

  it("chats, streams and counts", async () => {
    const { content, stop_reason } = await client.messages.create(ask);
    expect([content, stop_reason]).toMatchObject([[{ type: "text", text: ANSWER }], "end_turn"]);
    expect(await client.messages.stream(ask).finalText()).toBe(ANSWER);
    expect((await client.messages.countTokens(ask)).input_tokens).toBeGreaterThan(3);
  });

  it("calls tools", async () => {
    const add = { name: "add", input_schema: parameters };
    const whole = await caller.messages.create({ ...ask, tools: [add] });
    const streamed = await caller.messages.stream({ ...ask, tools: [add] }).finalMessage();
    for (const { content, stop_reason } of [whole, streamed]) {
      expect(stop_reason).toBe("tool_use");
      expect(content).toMatchObject([
        { type: "tool_use", name: "add", input: { a: 7, b: 5 } },
        { type: "tool_use", name: "add", input: { a: 1, b: 2 } },
      ]);
    }
    const next = await client.messages.create({
      ...ask,
      messages: [
        ...messages,
        { role: "assistant", content: whole.content },
        { role: "user", content: [{ type: "tool_result", tool_use_id: "c1", content: "12" }] },
      ],
    });
    expect(next.role).toBe("assistant");
  });

  it("gets errors as its own classes", async () => {
    const wrong = client.messages.create({ ...ask, max_tokens: 0 });
    await expect(wrong).rejects.toBeInstanceOf(Anthropic.BadRequestError);
  });
});

describe("ai with @ai-sdk/openai-compatible", () => {
  const provider = (tested: Tested) =>
    createOpenAICompatible({ name: "local", baseURL: address.baseURL, fetch: fetchOf(tested) });

  it("chats and streams", async () => {
    const model = provider(app).chatModel("tale");
    const { text } = await generateText({ model, prompt: QUESTION, temperature: 0 });
    expect(text).toBe(ANSWER);
    const { textStream } = streamText({ model, prompt: QUESTION, temperature: 0 });
    let streamed = "";
    for await (const part of textStream) streamed += part;
    expect(streamed).toBe(ANSWER);
  });

  it("calls tools", async () => {
    const add = tool({ description: "adds", inputSchema: jsonSchema(parameters) });
    const model = provider(tools).chatModel("tale");
    const options = { model, prompt: QUESTION, tools: { add } };
    expect((await generateText(options)).toolCalls.map(({ input }) => input)).toEqual([
      { a: 7, b: 5 },
      { a: 1, b: 2 },
    ]);
    const streamed = await streamText(options).toolCalls;
    expect(streamed.map(({ toolName }) => toolName)).toEqual(["add", "add"]);
  });
});

describe("@langchain/openai", () => {
  const model = (tested: Tested) =>
    new ChatOpenAI({
      ...{ model: "tale", apiKey: "none", temperature: 0, maxRetries: 0 },
      configuration: { baseURL: address.baseURL, fetch: fetchOf(tested) },
    });

  it("chats and streams", async () => {
    expect((await model(app).invoke([new HumanMessage(QUESTION)])).text).toBe(ANSWER);
    let text = "";
    for await (const chunk of await model(app).stream(QUESTION)) text += chunk.text;
    expect(text).toBe(ANSWER);
  });

  it("calls tools", async () => {
    const add = { type: "function" as const, function: { name: "add", parameters } };
    const answer = await model(tools).bindTools([add]).invoke(QUESTION);
    expect(answer.tool_calls!.map(({ args }) => args)).toEqual([
      { a: 7, b: 5 },
      { a: 1, b: 2 },
    ]);
  });
});
