/** A conversation in OpenAI's form, checked, with everything that shapes its prompt. */
import type {
  ChatMessage,
  ChatTemplateOptions,
  GenerateOptions,
  Model,
  RenderOptions,
  ToolDefinition,
} from "../../mod.ts";
import { ApiError, refuse } from "./errors.ts";
import { Fields } from "./fields.ts";

/** Parts of a message that are no text, with what would read them. */
const UNREADABLE: Readonly<Record<string, string>> = {
  image_url: "images",
  input_image: "images",
  image: "images",
  input_audio: "audio",
  file: "files",
  input_file: "files",
  document: "documents",
};

const ROLES = ["system", "developer", "user", "assistant", "tool"] as const;

/** The field `messages`. Errors: 400 with the field that is wrong. */
export function readMessages(body: Fields): ChatMessage[] {
  const list = body.required("messages", body.list("messages"));
  if (list.length === 0) refuse(body.name("messages"), "a list of at least one message", list);
  const messages = list.map((value, i) => readMessage(new Fields(value, `messages[${i}]`)));
  const last = messages.length - 1;
  if (last > 0 && messages[last].role === "assistant" && messages[last - 1].role === "assistant")
    throw new ApiError(
      400,
      "Cannot continue an answer: messages has two assistant messages at its end",
      { param: "messages" },
    );
  return messages;
}

function readMessage(message: Fields): ChatMessage {
  const role = message.required("role", message.oneOf("role", ...ROLES, "function"));
  const content = readContent(message);
  const reasoning = message.text("reasoning_content") ?? message.text("reasoning");
  const calls = message.list("tool_calls");
  const id = message.text("tool_call_id");
  const name = message.text("name");
  if (content === undefined && !calls?.length && reasoning === undefined && role !== "assistant")
    throw new ApiError(400, `Cannot answer: ${message.name("content")} is missing`, {
      param: message.name("content"),
    });
  return {
    role: role === "function" ? "tool" : role,
    content: content ?? (calls?.length ? null : ""),
    ...(reasoning !== undefined && { reasoning_content: reasoning }),
    ...(calls?.length && {
      tool_calls: calls.map((call, i) =>
        readCall(new Fields(call, message.name(`tool_calls[${i}]`))),
      ),
    }),
    ...(id !== undefined && { tool_call_id: id }),
    ...(name !== undefined && { name }),
  };
}

function readCall(call: Fields): NonNullable<ChatMessage["tool_calls"]>[number] {
  const id = call.text("id");
  const called = call.required("function", call.fields("function"));
  const args = called.any("arguments");
  if (args !== undefined && typeof args !== "string" && typeof args !== "object")
    refuse(called.name("arguments"), "JSON in a text, or an object", args);
  return {
    ...(id !== undefined && { id }),
    type: "function",
    function: { name: called.required("name", called.text("name")), arguments: args ?? "{}" },
  };
}

/** A text, or the texts of its parts. */
export function readContent(message: Fields, key = "content"): ChatMessage["content"] {
  const content = message.any(key);
  if (content === undefined || typeof content === "string") return content;
  if (!Array.isArray(content)) refuse(message.name(key), "a text or a list of parts", content);
  return content.map((value, i) => {
    const part = new Fields(value, message.name(`${key}[${i}]`));
    const type = part.required("type", part.text("type"));
    const what = UNREADABLE[type];
    if (what)
      throw new ApiError(
        400,
        `Cannot read ${part.name("type")} ${type}: this server takes no ${what}, only text`,
        {
          param: part.name("type"),
        },
      );
    const text = type === "refusal" ? part.text("refusal") : part.text("text");
    return { type: "text", text: part.required("text", text) } as const;
  });
}

/** The field `tools`: functions only. */
export function readTools(body: Fields): ToolDefinition[] | undefined {
  const list = body.list("tools");
  if (!list?.length) return undefined;
  return list.map((value, i) => {
    const tool = new Fields(value, body.name(`tools[${i}]`));
    if (tool.oneOf("type", "function") === undefined) tool.required("type", undefined);
    const given = tool.required("function", tool.fields("function"));
    return { type: "function", function: readFunction(given) };
  });
}

export function readFunction(given: Fields, schema = "parameters"): ToolDefinition["function"] {
  const description = given.text("description");
  const parameters = given.object(schema);
  return {
    name: given.required("name", given.text("name")),
    ...(description !== undefined && { description }),
    ...(parameters && { parameters }),
  };
}

/** The fields that shape a prompt besides its messages. */
export function readRendering(body: Fields, messages: readonly ChatMessage[]): RenderOptions {
  const kwargs: Record<string, unknown> = { ...body.object("chat_template_kwargs") };
  const effort = body.text("reasoning_effort");
  if (effort !== undefined) {
    kwargs.reasoning_effort ??= effort;
    if (effort === "none") kwargs.enable_thinking ??= false;
  }
  if (body.whole("reasoning_budget", -1) === 0) kwargs.enable_thinking ??= false;
  const addGenerationPrompt = body.flag("add_generation_prompt");
  const goesOn = messages.at(-1)?.role === "assistant";
  const template: ChatTemplateOptions = {
    ...(Object.keys(kwargs).length > 0 && { kwargs }),
    ...(addGenerationPrompt !== undefined && { addGenerationPrompt }),
    ...(goesOn && { continueFinalMessage: true as const }),
  };
  const format = body.oneOf("reasoning_format", "none", "auto", "deepseek", "deepseek-legacy");
  return {
    ...(Object.keys(template).length > 0 && { template }),
    ...(format === "none" && { reasoning: false }),
  };
}

/** The tokens of a conversation's prompt. Errors: 400 where it does not fit in the context. */
export function promptTokens(
  model: Model,
  messages: readonly ChatMessage[],
  options: GenerateOptions,
): readonly number[] {
  const { template, reasoning, toolChoice } = options;
  const tools = toolChoice === "none" ? undefined : options.tools;
  const { tokens } = model.render(messages, {
    ...(template && { template }),
    ...(tools && { tools }),
    ...(reasoning !== undefined && { reasoning }),
  });
  requireRoom(model, tokens.length);
  return tokens;
}

/** Refuses a prompt that leaves no room for a token. */
export function requireRoom(model: Model, tokens: number): void {
  const context = model.contextLength;
  if (tokens >= context)
    throw new ApiError(
      400,
      `The request has ${tokens} tokens and exceeds the context of ${context}; send less, or start the server with a larger -c`,
      {
        type: "exceed_context_size_error",
        more: { n_prompt_tokens: tokens, n_ctx: context },
      },
    );
}
