/** `/v1/responses`: OpenAI's newer API, without its store: every request brings the whole conversation. */
import type { Answer, ChatMessage, GenerateOptions, Model, ToolDefinition } from "../../../mod.ts";
import { type Block, type BlockEvent, Blocks, blocksOf } from "../blocks.ts";
import { constraintFrom } from "../constraint.ts";
import { type Call, json, newId, now, withLease } from "../context.ts";
import { promptTokens, readContent, readFunction } from "../conversation.ts";
import { ApiError, asApiError, refuse } from "../errors.ts";
import { Fields, readFields } from "../fields.ts";
import { complete, generate, type Job } from "../generate.ts";
import type { Served } from "../host.ts";
import { samplingFrom } from "../sampling.ts";
import type { ServerEvent } from "../sse.ts";
import { streamed } from "../streamed.ts";
import { readToolChoice, toolChoiceOf } from "./chat.ts";

/** What needs a store of responses. */
const STORED = ["previous_response_id", "conversation", "prompt"] as const;

export async function responses(call: Call): Promise<Response> {
  const body = await readFields(call.request, call.options);
  for (const name of STORED)
    if (body.has(name))
      throw new ApiError(
        400,
        `Cannot use ${name}: this server stores nothing; send the whole conversation as input`,
        { param: name },
      );
  if (body.flag("background"))
    throw new ApiError(
      400,
      "Cannot use background: this server stores nothing; stream the response",
      { param: "background" },
    );
  const wanted = body.text("model");
  if (!body.flag("stream"))
    return withLease(call, wanted, async ({ served }) => {
      const job = readJob(body, served.model);
      const [{ answer }] = await complete(served, job, call.signal);
      const head = headOf(body, wanted ?? served.id);
      return json(ended(head, blocksOf(answer).map(itemOf), answer));
    });
  return streamed(call, body, (served) => {
    const job = readJob(body, served.model);
    const head = headOf(body, wanted ?? served.id);
    let sequence = 0;
    const event = (type: string, data: object): ServerEvent => ({
      event: type,
      data: { type, sequence_number: sequence++, ...data },
    });
    return {
      events: (signal) => events(served, job, head, event, signal),
      failed: (error) => {
        const { message, type, param } = asApiError(error);
        return event("error", { code: type, message, param });
      },
      options: job.options,
    };
  });
}

/** `/v1/responses/input_tokens`. */
export async function responseTokens(call: Call): Promise<Response> {
  const body = await readFields(call.request, call.options);
  return withLease(call, body.text("model"), async ({ served }) =>
    json({
      object: "response.input_tokens",
      input_tokens: readJob(body, served.model).tokens.length,
    }),
  );
}

function readJob(body: Fields, model: Model): Job {
  const messages = readInput(body);
  const most = body.whole("max_output_tokens", 1);
  const effort = body.fields("reasoning")?.text("effort");
  const top = body.whole("top_logprobs", 0, 20);
  const tools = readTools(body);
  const goesOn = messages.at(-1)?.role === "assistant";
  const template = {
    ...(effort !== undefined && {
      kwargs: { reasoning_effort: effort, ...(effort === "none" && { enable_thinking: false }) },
    }),
    ...(goesOn && { continueFinalMessage: true as const }),
  };
  const options: GenerateOptions = {
    ...samplingFrom(body, () => model.tokenizer),
    ...(most !== undefined && { maxTokens: most }),
    ...(top !== undefined && { logprobs: top }),
    ...(tools && { tools, ...toolChoiceOf(readToolChoice(body), body) }),
    ...constraintFrom(body, body.fields("text")?.fields("format")),
    ...(Object.keys(template).length > 0 && { template }),
  };
  const tokens = promptTokens(model, messages, options);
  return { prompt: messages, tokens, options, choices: 1, cached: true };
}

/** The conversation: instructions, and the items of `input`. */
function readInput(body: Fields): ChatMessage[] {
  const instructions = body.text("instructions");
  const messages: ChatMessage[] =
    instructions === undefined ? [] : [{ role: "system", content: instructions }];
  const input = body.required("input", body.any("input"));
  if (typeof input === "string") return [...messages, { role: "user", content: input }];
  if (!Array.isArray(input) || input.length === 0)
    refuse("input", "a text or a list of at least one item", input);
  input.forEach((value, i) => {
    const item = new Fields(value, `input[${i}]`);
    addItem(messages, item, item.text("type") ?? "message");
  });
  return messages;
}

function addItem(messages: ChatMessage[], item: Fields, type: string): void {
  // The parts of one answer, its reasoning and its calls, come as items that follow one another.
  const answer = (more: Partial<ChatMessage>): void => {
    const last = messages.at(-1);
    if (last?.role === "assistant" && !(more.content && last.content))
      messages[messages.length - 1] = { ...last, ...more };
    else messages.push({ role: "assistant", content: null, ...more });
  };
  switch (type) {
    case "message": {
      const role = item.required(
        "role",
        item.oneOf("role", "system", "developer", "user", "assistant"),
      );
      const content = item.required("content", readContent(item));
      if (role === "assistant") answer({ content });
      else messages.push({ role, content });
      return;
    }
    case "reasoning": {
      const parts = [...(item.list("content") ?? []), ...(item.list("summary") ?? [])];
      const text = parts.map(
        (part, i) => new Fields(part, item.name(`content[${i}]`)).text("text") ?? "",
      );
      if (text.length > 0)
        messages.push({ role: "assistant", content: null, reasoning_content: text.join("\n") });
      return;
    }
    case "function_call": {
      const calls =
        messages.at(-1)?.role === "assistant" ? (messages.at(-1)!.tool_calls ?? []) : [];
      const id = item.required("call_id", item.text("call_id"));
      const name = item.required("name", item.text("name"));
      const called = { name, arguments: item.text("arguments") ?? "{}" };
      answer({ tool_calls: [...calls, { id, type: "function", function: called }] });
      return;
    }
    case "function_call_output": {
      const content = item.required("output", readContent(item, "output"));
      messages.push({
        role: "tool",
        tool_call_id: item.required("call_id", item.text("call_id")),
        content,
      });
      return;
    }
    default:
      throw new ApiError(
        400,
        `Cannot read ${item.name("type")} ${JSON.stringify(type).slice(0, 60)}: this server takes messages, reasoning and function calls`,
        {
          param: item.name("type"),
        },
      );
  }
}

function readTools(body: Fields): ToolDefinition[] | undefined {
  const list = body.list("tools");
  if (!list?.length) return undefined;
  return list.map((value, i) => {
    const tool = new Fields(value, `tools[${i}]`);
    tool.required("type", tool.oneOf("type", "function"));
    return { type: "function", function: readFunction(tool) };
  });
}

/** The fields of a response that do not depend on its answer. */
function headOf(body: Fields, model: string): Record<string, unknown> {
  return {
    id: newId("resp_"),
    object: "response",
    created_at: now(),
    model,
    status: "in_progress",
    error: null,
    incomplete_details: null,
    instructions: body.text("instructions") ?? null,
    metadata: body.object("metadata") ?? {},
    parallel_tool_calls: body.flag("parallel_tool_calls") ?? true,
    temperature: body.number("temperature") ?? 0.8,
    top_p: body.number("top_p") ?? 0.95,
    tool_choice: body.any("tool_choice") ?? "auto",
    tools: (body.list("tools") ?? []).map((tool) => ({
      strict: null,
      parameters: null,
      ...(tool as object),
    })),
    max_output_tokens: body.whole("max_output_tokens") ?? null,
    previous_response_id: null,
    store: false,
    output: [],
  };
}

function itemOf(block: Block, whole: boolean | number = true): Record<string, unknown> {
  const done = whole !== false;
  const text = done ? block.text : "";
  const status = done ? "completed" : "in_progress";
  if (block.kind === "reasoning")
    return {
      type: "reasoning",
      id: block.id,
      summary: [],
      content: done ? [{ type: "reasoning_text", text }] : [],
      status,
    };
  if (block.kind === "call")
    return {
      type: "function_call",
      id: `fc_${block.id}`,
      call_id: block.id,
      name: block.name,
      arguments: text,
      status,
    };
  return {
    type: "message",
    id: block.id,
    role: "assistant",
    status,
    content: done ? [partOf(text)] : [],
  };
}

const partOf = (text: string) => ({ type: "output_text", text, annotations: [], logprobs: [] });

function ended(
  head: Record<string, unknown>,
  output: readonly unknown[],
  { finishReason, usage }: Answer,
): Record<string, unknown> {
  const cut = finishReason === "length" || finishReason === "context";
  return {
    ...head,
    status: cut ? "incomplete" : "completed",
    incomplete_details: cut ? { reason: "max_output_tokens" } : null,
    completed_at: now(),
    output,
    usage: {
      input_tokens: usage.promptTokens,
      input_tokens_details: { cached_tokens: usage.cachedTokens, cache_write_tokens: 0 },
      output_tokens: usage.completionTokens,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: usage.promptTokens + usage.completionTokens,
    },
  };
}

async function* events(
  served: Served,
  job: Job,
  head: Record<string, unknown>,
  event: (type: string, data: object) => ServerEvent,
  signal: AbortSignal,
): AsyncGenerator<ServerEvent> {
  yield event("response.created", { response: head });
  yield event("response.in_progress", { response: head });
  const blocks = new Blocks();
  for await (const one of generate(served, job, signal)) {
    if (one.piece) {
      for (const change of blocks.take(one.piece)) yield* blockEvents(change, event);
      continue;
    }
    if (!one.answer) continue;
    for (const change of blocks.end()) yield* blockEvents(change, event);
    const response = ended(
      head,
      blocks.all.map((block) => itemOf(block)),
      one.answer,
    );
    yield event(response.status === "incomplete" ? "response.incomplete" : "response.completed", {
      response,
    });
  }
}

function* blockEvents(
  change: BlockEvent,
  event: (type: string, data: object) => ServerEvent,
): Generator<ServerEvent> {
  const { block, index: output_index } = change;
  const call = block.kind === "call";
  const item_id = call ? `fc_${block.id}` : block.id;
  const at = { item_id, output_index };
  const inPart = { ...at, content_index: 0 };
  const text = block.kind === "text";
  if (change.what === "start") {
    yield event("response.output_item.added", { output_index, item: itemOf(block, false) });
    if (text) yield event("response.content_part.added", { ...inPart, part: partOf("") });
  } else if (change.what === "delta") {
    const { delta } = change;
    if (text) yield event("response.output_text.delta", { ...inPart, delta, logprobs: [] });
    else if (call) yield event("response.function_call_arguments.delta", { ...at, delta });
    else yield event("response.reasoning_text.delta", { ...inPart, delta });
  } else {
    if (text) {
      yield event("response.output_text.done", { ...inPart, text: block.text, logprobs: [] });
      yield event("response.content_part.done", { ...inPart, part: partOf(block.text) });
    } else if (call)
      yield event("response.function_call_arguments.done", {
        ...at,
        name: block.name,
        arguments: block.text,
      });
    else yield event("response.reasoning_text.done", { ...inPart, text: block.text });
    yield event("response.output_item.done", { output_index, item: itemOf(block) });
  }
}
