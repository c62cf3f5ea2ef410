/** Conversations as long as real ones get. */
import type { ChatMessage, ToolDefinition } from "../../src/chat/messages.ts";

const LONG = `some <b>text</b> ${"and more of it, ".repeat(40)}`;

/** Questions and answers in turn; the last is a question. */
export const turns = (count: number, long = false): ChatMessage[] =>
  Array.from({ length: count - (count % 2 === 0 ? 1 : 0) }, (_, i) => ({
    role: i % 2 ? "assistant" : "user",
    content: long ? LONG : "hi",
  }));

/** Tools of six parameters. */
export const toolsOf = (count: number): ToolDefinition[] =>
  Array.from({ length: count }, (_, i) => ({
    type: "function",
    function: {
      name: `tool_${i}`,
      description: `does ${i}`,
      parameters: {
        type: "object",
        properties: Object.fromEntries(
          Array.from({ length: 6 }, (_, p) => [
            `p${p}`,
            { type: "string", description: `parameter ${p}` },
          ]),
        ),
        required: ["p0"],
      },
    },
  }));

/** As templates read them: the arguments of most are a mapping. */
const args = { p0: "x", p1: "y" } as unknown as string;

/** Questions that are answered with the help of a tool: four messages each, and one question more. */
export const withCalls = (count: number): ChatMessage[] => [
  ...Array.from({ length: count }, (_, i): ChatMessage[] => [
    { role: "user", content: "do it" },
    {
      role: "assistant",
      content: "",
      tool_calls: [
        {
          id: "abcdefghi",
          type: "function",
          function: { name: "tool_1", arguments: args },
        },
      ],
    },
    { role: "tool", tool_call_id: "abcdefghi", name: "tool_1", content: `result ${i}` },
    { role: "assistant", content: "done" },
  ]).flat(),
  { role: "user", content: "and so on" },
];
