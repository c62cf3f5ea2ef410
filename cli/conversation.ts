/** What of a conversation is in the prompt, where the context does not hold all of it. */
import type { ChatMessage, Model, RenderOptions } from "../mod.ts";

type Rendering = Pick<Model, "render" | "contextLength">;

/** The system message, and the messages from number `start` on. */
export const from = (messages: readonly ChatMessage[], start: number): ChatMessage[] =>
  messages.filter((message, i) => i >= start || (i === 0 && isSystem(message)));

const isSystem = ({ role }: ChatMessage): boolean => role === "system" || role === "developer";

/**
 * The first message of the prompt: `start` where an answer to the messages from there on has room,
 * else a later question, from which on half of the context is free, so that this does not happen
 * again at the next turn. `room` is what an answer may take.
 */
export function firstThatFits(
  model: Rendering,
  messages: readonly ChatMessage[],
  start: number,
  options: RenderOptions,
  room: number,
): number {
  const context = model.contextLength;
  const least = Math.min(room, context >> 1);
  if (tokensOf(model, from(messages, start), options) + least <= context) return start;
  const questions = questionsBehind(messages, start);
  for (const question of questions)
    if (tokensOf(model, from(messages, question), options) <= context >> 1) return question;
  return questions.at(-1) ?? start;
}

/** The question in the middle of those behind `start`; undefined where there is none. */
export function laterStart(messages: readonly ChatMessage[], start: number): number | undefined {
  const questions = questionsBehind(messages, start);
  return questions[questions.length >> 1];
}

const questionsBehind = (messages: readonly ChatMessage[], start: number): number[] =>
  messages.flatMap(({ role }, i) => (role === "user" && i > start ? [i] : []));

/** Infinity for what is much too long. */
function tokensOf(model: Rendering, messages: ChatMessage[], options: RenderOptions): number {
  try {
    return model.render(messages, options).tokens.length;
  } catch (error) {
    if ((error as { code?: string }).code === "context/overflow") return Number.POSITIVE_INFINITY;
    throw error;
  }
}
