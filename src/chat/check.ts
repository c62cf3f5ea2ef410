/** What conversations and tools may be. */
import {
  json,
  listOf,
  objectOf,
  oneOf,
  orNull,
  type Rule,
  refuse,
  rule,
  text,
} from "../base/options.ts";
import type { ChatMessage, ToolCall, ToolDefinition } from "./messages.ts";

// Clients keep more fields than these, and null for those that are empty: templates have them as they are.

const call = objectOf<ToolCall>(
  {
    id: orNull(text),
    type: orNull(oneOf("function")),
    unfinished: oneOf(true),
    function: objectOf<ToolCall["function"]>(
      { name: text, arguments: json },
      ["name", "arguments"],
      true,
    ),
  },
  ["function"],
  true,
);

const isPart = (part: { type?: unknown; text?: unknown } | null): boolean =>
  typeof part?.type === "string" && (part.type !== "text" || typeof part.text === "string");

const message = objectOf<ChatMessage>(
  {
    role: text,
    content: rule(
      "a text, a list of parts or null",
      (content) =>
        typeof content === "string" ||
        content === null ||
        (Array.isArray(content) && content.every(isPart)),
    ),
    reasoning_content: orNull(text),
    tool_calls: orNull(listOf(call)),
    tool_call_id: orNull(text),
    name: orNull(text),
  },
  ["role"],
  true,
);

const definition = objectOf<ToolDefinition>(
  {
    type: oneOf("function"),
    function: objectOf<ToolDefinition["function"]>(
      {
        name: text,
        description: orNull(text),
        parameters: orNull(objectOf({}, [], true)),
      },
      ["name"],
      true,
    ),
  },
  ["type", "function"],
  true,
);

/** Functions that the model may call. */
export const toolsRule: Rule<readonly ToolDefinition[]> = (value, name) => {
  listOf(definition)(value, name);
  json(value, name);
};

/** What most messages are. */
function isPlain(one: ChatMessage | null): boolean {
  if (typeof one?.role !== "string" || typeof one.content !== "string") return false;
  for (const key in one) if (key !== "role" && key !== "content") return false;
  return true;
}

/** A conversation. A message says something, calls something, or thinks. */
export function checkMessages(messages: readonly ChatMessage[]): void {
  rule("a list", Array.isArray)(messages, "messages");
  for (let i = 0; i < messages.length; i++) {
    const [one, name] = [messages[i], `messages[${i}]`];
    if (isPlain(one)) continue;
    message(one, name);
    json(one, name);
    if (one.content === undefined && !one.tool_calls && !one.reasoning_content)
      refuse(name, "a message with content or tool_calls", one);
  }
}
