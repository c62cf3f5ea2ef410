/**
 * The arguments of tool calls as a template wants them. In OpenAI's API they are JSON text; many
 * templates print an object as JSON, some print the text as it is. Which one a template does is found
 * by rendering a call both ways, as llama.cpp does.
 */

import type { ChatMessage, ToolCall } from "./messages.ts";
import type { ChatTemplate } from "./template.ts";

type Form = "text" | "object" | "as given";

const forms = new WeakMap<ChatTemplate, Form>();

/** The messages with the arguments of their tool calls in the form that the template prints right. */
export function withToolArguments(
  template: ChatTemplate,
  messages: readonly ChatMessage[],
): readonly ChatMessage[] {
  const calls = messages.some(({ tool_calls }) => (tool_calls?.length ?? 0) > 0);
  if (!calls) return messages;
  let form = forms.get(template);
  if (!form) forms.set(template, (form = formOf(template)));
  if (form === "as given") return messages;
  const convert = form === "text" ? asText : asObject;
  return messages.map((message) =>
    message.tool_calls ? { ...message, tool_calls: message.tool_calls.map(convert) } : message,
  );
}

const asText = (call: ToolCall): ToolCall => {
  const { name, arguments: given } = call.function;
  if (typeof given === "string") return call;
  return { ...call, function: { name, arguments: JSON.stringify(given) } };
};

const asObject = (call: ToolCall): ToolCall => {
  const { name, arguments: given } = call.function;
  if (typeof given !== "string") return call;
  try {
    return { ...call, function: { name, arguments: JSON.parse(given) } };
  } catch {
    return call; // a model may write broken JSON, and the template prints what it wrote
  }
};

function formOf(template: ChatTemplate): Form {
  const probe = { needle: "x" };
  const object = printsArguments(template, probe);
  const text = printsArguments(template, JSON.stringify(probe));
  if (object === text) return "as given";
  return object ? "object" : "text";
}

/** Whether a call with these arguments is printed as one: its parameter as a JSON key or in a tag. */
function printsArguments(template: ChatTemplate, given: unknown): boolean {
  const call: ToolCall = {
    id: "123456789",
    type: "function",
    function: { name: "probe", arguments: given },
  };
  const messages: ChatMessage[] = [
    { role: "user", content: "Hello" },
    { role: "assistant", content: "", tool_calls: [call] },
  ];
  try {
    const printed = template.render(messages, [], { addGenerationPrompt: false });
    return /"needle"\s*:|<parameter=needle>|<arg_key>needle|needle:/.test(printed);
  } catch {
    return false;
  }
}
