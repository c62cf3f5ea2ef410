/** Every answer and every event has the form of OpenAI's own document. */
import Ajv from "ajv/dist/2020.js";
import { afterAll, describe, expect, it } from "vitest";
import type { Answer, Piece } from "../../mod.ts";
import { fixtureJson } from "../fixture.ts";
import { type Json, loadTale, scriptedModel, type Tested, testApp } from "./app.ts";

/** `nullable` means something only beside a type, and that null is one of the values of an enumeration. */
function tidied(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(tidied);
  if (typeof value !== "object" || value === null) return value;
  if ("nullable" in value && "enum" in value && Array.isArray(value.enum))
    return { ...value, enum: [...value.enum, null] };
  const entries = Object.entries(value)
    .filter(([key]) => key !== "nullable" || "type" in value)
    .map(([key, one]) => [key, tidied(one)]);
  return Object.fromEntries(entries);
}

const document = tidied(await fixtureJson("openapi/openai.json")) as object;
const ajv = new (Ajv as unknown as typeof Ajv.default)({
  strict: false,
  validateFormats: false,
  allErrors: true,
});
ajv.addSchema(document, "openai");

/** What is wrong with a value as that schema; nothing where it is right. */
function wrong(schema: string, value: unknown): unknown {
  const validate = ajv.getSchema(`openai#/components/schemas/${schema}`)!;
  if (validate(value)) return undefined;
  return {
    value,
    errors: validate.errors!.slice(0, 5).map((e) => `${e.instancePath} ${e.message}`),
  };
}

const user = [{ role: "user", content: "What is 7 + 5?" }];
const fixed = { temperature: 0, max_tokens: 6 };

const toolPieces: Piece[] = [
  { token: 1, text: "I think", channel: "reasoning" },
  {
    token: 2,
    text: "",
    channel: "tool",
    toolCallPart: { index: 0, id: "c1", name: "add", arguments: "" },
  },
  { token: 3, text: "", channel: "tool", toolCallPart: { index: 0, arguments: '{"a":' } },
  { token: 4, text: "", channel: "tool", toolCallPart: { index: 0, arguments: "7}" } },
  {
    token: 5,
    text: "x",
    channel: "tool",
    toolCall: { id: "c1", type: "function", function: { name: "add", arguments: '{"a":7}' } },
  },
  {
    token: 6,
    text: "",
    channel: "tool",
    toolCallPart: { index: 1, id: "c2", name: "now", arguments: "{}" },
  },
];
const toolAnswer: Answer = {
  message: {
    role: "assistant",
    content: null,
    reasoning_content: "I think",
    tool_calls: [
      { id: "c1", type: "function", function: { name: "add", arguments: '{"a":7}' } },
      { id: "c2", type: "function", function: { name: "now", arguments: "{}" } },
    ],
  },
  finishReason: "tool-calls",
  usage: { promptTokens: 9, cachedTokens: 4, completionTokens: 6, promptMs: 1, completionMs: 2 },
};

describe("answers by OpenAI's document", () => {
  const app = testApp();
  const calling = testApp(undefined, {
    load: async (...args) =>
      scriptedModel({ pieces: toolPieces, answer: toolAnswer }, await loadTale(...args)),
  });
  afterAll(async () => {
    await app.close();
    await calling.close();
  });

  const whole: [string, string, object][] = [
    ["CreateChatCompletionResponse", "/v1/chat/completions", { messages: user, ...fixed }],
    [
      "CreateChatCompletionResponse",
      "/v1/chat/completions",
      { messages: user, ...fixed, n: 2, logprobs: true, top_logprobs: 3, model: "any" },
    ],
    ["CreateCompletionResponse", "/v1/completions", { prompt: "Once upon", ...fixed }],
    [
      "CreateCompletionResponse",
      "/v1/completions",
      { prompt: ["Once", [1, 2], "upon"], ...fixed, logprobs: 2, echo: true, n: 2 },
    ],
    ["Response", "/v1/responses", { input: "What is 7 + 5?", temperature: 0 }],
    [
      "Response",
      "/v1/responses",
      { input: user, instructions: "Be brief", temperature: 0, max_output_tokens: 2 },
    ],
  ];
  for (const [schema, path, body] of whole)
    it(`${schema} of ${path} ${JSON.stringify(body).slice(0, 60)}`, async () => {
      const answer = await app.post(path, body);
      expect([answer.status, wrong(schema, answer.body)]).toEqual([200, undefined]);
    });

  const streams: [string, string, object][] = [
    ["CreateChatCompletionStreamResponse", "/v1/chat/completions", { messages: user, ...fixed }],
    [
      "CreateChatCompletionStreamResponse",
      "/v1/chat/completions",
      { messages: user, ...fixed, n: 2, logprobs: true, stream_options: { include_usage: true } },
    ],
    ["ResponseStreamEvent", "/v1/responses", { input: "What is 7 + 5?", temperature: 0 }],
    ["ResponseStreamEvent", "/v1/responses", { input: "What?", max_output_tokens: 2 }],
  ];
  const all = async (
    tested: Tested,
    schema: string,
    path: string,
    body: object,
  ): Promise<number> => {
    const events = await tested.events(path, body);
    for (const { data } of events)
      if (data !== "[DONE]") expect(wrong(schema, data)).toBeUndefined();
    return events.length;
  };
  for (const [schema, path, body] of streams)
    it(`each event of ${path} ${JSON.stringify(body).slice(0, 60)}`, async () => {
      expect(await all(app, schema, path, body)).toBeGreaterThan(3);
    });

  it("tool calls, whole and streamed, in chat and responses", async () => {
    const tools = [{ type: "function", function: { name: "add", parameters: { type: "object" } } }];
    const named = [{ type: "function", name: "add", strict: true, parameters: { type: "object" } }];
    const chat = await calling.post("/v1/chat/completions", { messages: user, tools });
    expect(wrong("CreateChatCompletionResponse", chat.body)).toBeUndefined();
    expect(chat.body.choices[0].finish_reason).toBe("tool_calls");
    const response = await calling.post("/v1/responses", { input: "7?", tools: named });
    expect(wrong("Response", response.body)).toBeUndefined();
    await all(calling, "CreateChatCompletionStreamResponse", "/v1/chat/completions", {
      messages: user,
      tools,
    });
    await all(calling, "ResponseStreamEvent", "/v1/responses", { input: "7?", tools: named });
  });

  it("a streamed call begins with id, name and no arguments, and has its index in every part", async () => {
    const events = await calling.events("/v1/chat/completions", { messages: user });
    const parts = events.flatMap(({ data }) => data.choices?.[0]?.delta.tool_calls ?? []);
    expect(parts.map(({ index }: Json) => index)).toEqual([0, 0, 0, 1, 1]);
    expect(parts.map(({ id }: Json) => id)).toEqual(["c1", undefined, undefined, "c2", undefined]);
    expect(parts[0].function).toEqual({ name: "add", arguments: "" });
    expect(parts[3].function).toEqual({ name: "now", arguments: "" });
    const written = parts
      .filter((part: Json) => part.index === 0)
      .map((part: Json) => part.function.arguments);
    expect(written.join("")).toBe('{"a":7}');
  });

  it("errors, models and lists", async () => {
    for (const [path, body] of [
      ["/v1/chat/completions", {}],
      ["/v1/chat/completions", { messages: "x" }],
      ["/v1/embeddings", { input: "x" }],
      ["/v1/responses", { input: "x", previous_response_id: "resp_1" }],
      ["/v1/nothing", {}],
    ] as const) {
      const answer = await app.post(path, body);
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(wrong("ErrorResponse", answer.body)).toBeUndefined();
    }
    const models = await app.get("/v1/models");
    expect(wrong("ListModelsResponse", models.body)).toBeUndefined();
    expect(wrong("Model", (await app.get("/v1/models/other")).body)).toBeUndefined();
  });
});
