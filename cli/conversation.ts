/** A conversation of which the context need not hold all: the page's and the command line's. */
import type {
  AssistantMessage,
  ChatMessage,
  GenerateOptions,
  Model,
  Piece,
  RenderOptions,
  Session,
} from "../mod.ts";

type Rendering = Pick<Model, "render" | "contextLength">;

export interface Talk {
  messages: ChatMessage[];
  /** The first message of the prompt, besides the system message. */
  start: number;
}

/** The system message, and the messages from number `start` on. */
export const from = (messages: readonly ChatMessage[], start: number): ChatMessage[] =>
  messages.filter((message, i) => i >= start || (i === 0 && isSystem(message)));

const isSystem = ({ role }: ChatMessage): boolean => role === "system" || role === "developer";

/** What is done when the context is full. */
export interface WhenFull {
  /** Takes the oldest turns out of the prompt of these options; false where none can be taken. */
  leaveOut(options: GenerateOptions): boolean;
  /** Tells that the answer ends for want of room. */
  onEnd(): void;
}

/**
 * The pieces of the answer to a conversation, whose last message it becomes, as far as it came. Where
 * the context is full, turns are left out, and the answer begins, or goes on, behind fewer.
 */
export async function* answerTo(
  session: Pick<Session, "generate">,
  talk: Talk,
  given: GenerateOptions,
  { leaveOut, onEnd }: WhenFull,
): AsyncGenerator<Piece, void, undefined> {
  let options = given;
  let goesOn = Boolean(given.template?.continueFinalMessage);
  for (;;) {
    const answer = session.generate(from(talk.messages, talk.start), options);
    let full = false;
    let refusal: unknown;
    try {
      for await (const piece of answer) yield piece;
    } catch (error) {
      if ((error as { code?: string }).code !== "context/overflow") throw error;
      refusal = error;
    } finally {
      const { message, finishReason, usage } = (await answer.return()).value;
      full = finishReason === "context";
      if (addAnswer(talk.messages, message, goesOn)) {
        goesOn = true;
        options = continuing(options, usage.completionTokens);
      }
    }
    if (!full && refusal === undefined) return;
    if (leaveOut(options)) continue;
    if (refusal !== undefined && !goesOn) throw refusal;
    onEnd();
    return;
  }
}

/** The options of an answer that goes on after `done` tokens. */
const continuing = (options: GenerateOptions, done: number): GenerateOptions => ({
  ...options,
  template: { ...options.template, continueFinalMessage: true },
  ...(options.maxTokens !== undefined && { maxTokens: Math.max(-1, options.maxTokens - done) }),
});

/** Adds what was said to the messages, or to the last of them; false where nothing was. */
function addAnswer(messages: ChatMessage[], said: AssistantMessage, goesOn: boolean): boolean {
  const { content, reasoning_content: thought, tool_calls } = said;
  if (!content && !thought && !tool_calls) return false;
  const begun = goesOn ? messages.pop() : undefined;
  const thoughts = `${begun?.reasoning_content ?? ""}${thought ?? ""}`;
  messages.push({
    ...said,
    content: begun?.content ? `${begun.content}${content ?? ""}` : content,
    ...(thoughts !== "" && { reasoning_content: thoughts }),
  });
  return true;
}

/**
 * The first message of the prompt: `start` where an answer to the messages from there on has room,
 * else a later question, from which on half of the context is free, so that this does not happen
 * again at the next turn; the last where no half is, `start` where none fits. `room` is what an answer may take.
 */
export function firstThatFits(
  model: Rendering,
  { messages, start }: Talk,
  options: RenderOptions,
  room: number,
): number {
  const context = model.contextLength;
  const least = Math.min(room, context >> 1);
  if (tokensOf(model, from(messages, start), options) + least <= context) return start;
  let holds = start;
  for (const question of questionsBehind(messages, start)) {
    const tokens = tokensOf(model, from(messages, question), options);
    if (tokens <= context >> 1) return question;
    if (tokens < context) holds = question;
  }
  return holds;
}

/** The question in the middle of those behind `start`; undefined where there is none. */
export function laterStart({ messages, start }: Talk): number | undefined {
  const questions = questionsBehind(messages, start);
  return questions[questions.length >> 1];
}

/** Later questions than what the prompt begins with now. */
function questionsBehind(messages: readonly ChatMessage[], start: number): number[] {
  const first = start === 0 && messages[0] && isSystem(messages[0]) ? 1 : start;
  return messages.flatMap(({ role }, i) => (role === "user" && i > first ? [i] : []));
}

/** Infinity for what is much too long. */
function tokensOf(model: Rendering, messages: ChatMessage[], options: RenderOptions): number {
  try {
    return model.render(messages, options).tokens.length;
  } catch (error) {
    if ((error as { code?: string }).code === "context/overflow") return Number.POSITIVE_INFINITY;
    throw error;
  }
}
