/** `/v1/messages`: Anthropic's chat, whole or streamed, and the counting of its tokens. */
import type { Answer, ChatMessage, GenerateOptions, Model, ToolDefinition } from "../../../mod.ts";
import { type Block, type BlockEvent, Blocks, blocksOf } from "../blocks.ts";
import { type Call, json, newId, withLease } from "../context.ts";
import { promptTokens, readFunction } from "../conversation.ts";
import { ApiError, anthropicErrorBody, asApiError, refuse } from "../errors.ts";
import { Fields, readFields } from "../fields.ts";
import { complete, generate, type Job } from "../generate.ts";
import type { Served } from "../host.ts";
import { samplingFrom } from "../sampling.ts";
import type { ServerEvent } from "../sse.ts";
import { streamed } from "../streamed.ts";

/** Claude Code's first system block: it differs in each request, and no model needs it. */
const BILLING = /^x-anthropic-billing-header/;

export async function messages(call: Call): Promise<Response> {
  const body = await readFields(call.request, call.options);
  const wanted = body.required("model", body.text("model"));
  body.required("max_tokens", body.whole("max_tokens", 1));
  if (!body.flag("stream"))
    return withLease(call, wanted, async ({ served }) => {
      const job = readJob(body, served.model);
      const [{ answer }] = await complete(served, job, call.signal);
      return json({
        ...headOf(wanted),
        content: blocksOf(answer).map((block) => contentOf(block, true)),
        ...stopOf(answer),
        usage: usageOf(answer),
      });
    });
  return streamed(call, body, (served) => {
    const job = readJob(body, served.model);
    return {
      events: (signal) => events(served, job, wanted, signal),
      failed: (error) => named(anthropicErrorBody(asApiError(error)) as { type: string }),
      options: job.options,
    };
  });
}

export async function countTokens(call: Call): Promise<Response> {
  const body = await readFields(call.request, call.options);
  return withLease(call, body.text("model"), async ({ served }) => {
    const { tokens } = readJob(body, served.model);
    return json({ input_tokens: tokens.length });
  });
}

function readJob(body: Fields, model: Model): Job {
  const conversation = [...readSystem(body), ...readTurns(body)];
  const choice = body.fields("tool_choice");
  const kind = choice?.oneOf("type", "auto", "any", "tool", "none") ?? "auto";
  const tools = readTools(body);
  const toolChoice =
    kind === "any"
      ? ("required" as const)
      : kind === "tool"
        ? { name: choice!.required("name", choice!.text("name")) }
        : kind === "none"
          ? kind
          : undefined;
  const thinking = body.fields("thinking")?.oneOf("type", "enabled", "disabled", "adaptive");
  const goesOn = conversation.at(-1)?.role === "assistant";
  const most = body.whole("max_tokens", 1);
  const template = {
    ...(thinking && { kwargs: { enable_thinking: thinking !== "disabled" } }),
    ...(goesOn && { continueFinalMessage: true as const }),
  };
  const stop = body.texts("stop_sequences")?.filter((text) => text !== "");
  const options: GenerateOptions = {
    ...samplingFrom(body, () => model.tokenizer),
    ...(most !== undefined && { maxTokens: most }),
    ...(stop?.length && { stop }),
    ...(tools && { tools, ...(toolChoice && { toolChoice }) }),
    // How many calls may come is enforced where calls are.
    ...(tools &&
      toolChoice &&
      choice?.flag("disable_parallel_tool_use") && { parallelToolCalls: false }),
    ...(Object.keys(template).length > 0 && { template }),
  };
  const tokens = promptTokens(model, conversation, options);
  return { prompt: conversation, tokens, options, choices: 1, cached: true };
}

function readSystem(body: Fields): ChatMessage[] {
  const system = body.any("system");
  if (system === undefined) return [];
  if (typeof system === "string") return [{ role: "system", content: system }];
  if (!Array.isArray(system)) refuse("system", "a text or a list of text blocks", system);
  const texts = system
    .map((block, i) => {
      const fields = new Fields(block, `system[${i}]`);
      return fields.required("text", fields.text("text"));
    })
    .filter((text) => !BILLING.test(text));
  return texts.length === 0 ? [] : [{ role: "system", content: texts.join("\n") }];
}

function readTurns(body: Fields): ChatMessage[] {
  const list = body.required("messages", body.list("messages"));
  if (list.length === 0) refuse("messages", "a list of at least one message", list);
  return list.flatMap((value, i) => {
    const message = new Fields(value, `messages[${i}]`);
    const role = message.required("role", message.oneOf("role", "user", "assistant", "system"));
    const content = message.required("content", message.any("content"));
    if (typeof content === "string") return [{ role, content }];
    if (!Array.isArray(content))
      refuse(message.name("content"), "a text or a list of blocks", content);
    const blocks = content.map((block, j) => new Fields(block, message.name(`content[${j}]`)));
    return role === "assistant" ? [readAnswer(blocks)] : readUser(blocks, role);
  });
}

/** Results of tools come before what the user says beside them. */
function readUser(blocks: readonly Fields[], role: string): ChatMessage[] {
  const results: ChatMessage[] = [];
  const texts: string[] = [];
  for (const block of blocks) {
    const type = block.required("type", block.text("type"));
    if (type === "text") texts.push(block.required("text", block.text("text")));
    else if (type === "tool_result")
      results.push({
        role: "tool",
        tool_call_id: block.required("tool_use_id", block.text("tool_use_id")),
        content: resultText(block),
      });
    else refuseBlock(block, type);
  }
  return texts.length === 0 ? results : [...results, { role, content: texts.join("\n") }];
}

function resultText(block: Fields): string {
  const content = block.any("content");
  if (content === undefined) return "";
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) refuse(block.name("content"), "a text or a list of blocks", content);
  return content
    .map((value, i) => {
      const part = new Fields(value, block.name(`content[${i}]`));
      const type = part.required("type", part.text("type"));
      return type === "text" ? part.required("text", part.text("text")) : refuseBlock(part, type);
    })
    .join("\n");
}

function readAnswer(blocks: readonly Fields[]): ChatMessage {
  const texts: string[] = [];
  const thoughts: string[] = [];
  const calls: NonNullable<ChatMessage["tool_calls"]>[number][] = [];
  for (const block of blocks) {
    const type = block.required("type", block.text("type"));
    if (type === "text") texts.push(block.required("text", block.text("text")));
    else if (type === "thinking") thoughts.push(block.text("thinking") ?? "");
    else if (type === "redacted_thinking") continue;
    else if (type === "tool_use")
      calls.push({
        id: block.required("id", block.text("id")),
        type: "function",
        function: {
          name: block.required("name", block.text("name")),
          arguments: JSON.stringify(block.object("input") ?? {}),
        },
      });
    else refuseBlock(block, type);
  }
  return {
    role: "assistant",
    content: texts.length > 0 ? texts.join("") : calls.length > 0 ? null : "",
    ...(thoughts.length > 0 && { reasoning_content: thoughts.join("\n") }),
    ...(calls.length > 0 && { tool_calls: calls }),
  };
}

function refuseBlock(block: Fields, type: string): never {
  throw new ApiError(
    400,
    `Cannot read ${block.name("type")} ${JSON.stringify(type).slice(0, 60)}: this server takes only text, tool_use and tool_result here`,
    { param: block.name("type") },
  );
}

function readTools(body: Fields): ToolDefinition[] | undefined {
  const list = body.list("tools");
  if (!list?.length) return undefined;
  return list.map((value, i) => ({
    type: "function",
    function: readFunction(new Fields(value, `tools[${i}]`), "input_schema"),
  }));
}

const headOf = (model: string) => ({
  id: newId("msg_"),
  type: "message",
  role: "assistant",
  model,
});

function contentOf(block: Block, whole: boolean): Record<string, unknown> {
  const text = whole ? block.text : "";
  if (block.kind === "text") return { type: "text", text };
  if (block.kind === "reasoning") return { type: "thinking", thinking: text, signature: "" };
  return { type: "tool_use", id: block.id, name: block.name, input: whole ? inputOf(text) : {} };
}

/** Arguments as an object; what an answer that broke off left of them is no JSON. */
function inputOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

function stopOf({ finishReason, stopText }: Answer): Record<string, unknown> {
  const reason =
    stopText !== undefined
      ? "stop_sequence"
      : finishReason === "tool-calls"
        ? "tool_use"
        : finishReason === "length" || finishReason === "context"
          ? "max_tokens"
          : "end_turn";
  return { stop_reason: reason, stop_sequence: stopText ?? null };
}

const usageOf = ({ usage }: Answer): Record<string, number> => ({
  input_tokens: usage.promptTokens - usage.cachedTokens,
  cache_read_input_tokens: usage.cachedTokens,
  cache_creation_input_tokens: 0,
  output_tokens: usage.completionTokens,
});

const named = (data: { readonly type: string }): ServerEvent => ({ event: data.type, data });

async function* events(
  served: Served,
  job: Job,
  model: string,
  signal: AbortSignal,
): AsyncGenerator<ServerEvent> {
  const usage = { input_tokens: job.tokens.length, output_tokens: 0 };
  const message = {
    ...headOf(model),
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage,
  };
  yield named({ type: "message_start", message } as { type: string });
  const blocks = new Blocks();
  for await (const event of generate(served, job, signal)) {
    if (event.piece) {
      for (const one of blocks.take(event.piece)) yield blockEvent(one);
      continue;
    }
    if (!event.answer) continue;
    for (const one of blocks.end()) yield blockEvent(one);
    const { answer } = event;
    yield named({
      type: "message_delta",
      delta: stopOf(answer),
      usage: usageOf(answer),
    } as { type: string });
  }
  yield named({ type: "message_stop" });
}

function blockEvent(event: BlockEvent): ServerEvent {
  const { index, block } = event;
  if (event.what === "start")
    return named({
      type: "content_block_start",
      index,
      content_block: contentOf(block, false),
    } as { type: string });
  if (event.what === "end") return named({ type: "content_block_stop", index } as { type: string });
  const { delta: text } = event;
  const delta =
    block.kind === "text"
      ? { type: "text_delta", text }
      : block.kind === "reasoning"
        ? { type: "thinking_delta", thinking: text }
        : { type: "input_json_delta", partial_json: text };
  return named({ type: "content_block_delta", index, delta } as { type: string });
}
