/** Questions and answers: what runs, and what becomes of it. */
import { batch, type Signal, signal } from "@preact/signals";
import type { ChatMessage } from "../../../mod.ts";
import { engine } from "../engine/client.ts";
import type { AnswerEvent, AnswerRequest } from "../engine/protocol.ts";
import { Blocks } from "../markdown/blocks.ts";
import { branchTo, titleOf } from "../store/tree.ts";
import type { Attachment, Conversation, Ended, Message, Preset } from "../store/types.ts";
import { tooLong, words } from "../words.ts";
import { head, messages, openConversation, openId, put, putMessage } from "./conversations.ts";
import { presetOf, settings } from "./settings.ts";

/** An answer on its way. */
export interface Live {
  readonly message: Message;
  readonly blocks: Blocks;
  readonly stop: AbortController;
  /** Grows with each batch of text. */
  readonly version: Signal<number>;
  readonly notice: Signal<string>;
  content: string;
  reasoning: string;
  tools: string;
}

/** Answers on their way, by message. */
export const lives: Signal<ReadonlyMap<string, Live>> = signal(new Map());
/** What a screen reader is told: once for each answer. */
export const announcement: Signal<string> = signal("");

export const liveIn = (conversation: string | null): Live | undefined =>
  [...lives.value.values()].find(({ message }) => message.conversation === conversation);

/** Milliseconds between two times that a growing answer is put down: a crash costs no more. */
const KEEP_EVERY = 500;

/** A message as the model reads it. */
export function asPrompt({ role, content, reasoning, attachments }: Message): ChatMessage {
  const files = (attachments ?? []).map(({ name, text }) => `\n\n--- File: ${name} ---\n${text}`);
  return {
    role,
    content: content + files.join(""),
    ...(reasoning !== undefined && { reasoning_content: reasoning }),
  };
}

export function samplingOf(preset: Preset): AnswerRequest["sampling"] {
  const { temperature, topK, topP, minP, repeatPenalty, maxTokens, seed } = preset;
  return {
    ...{ temperature, topK, topP, minP, repeatPenalty },
    ...(maxTokens > 0 && { maxTokens }),
    ...(seed >= 0 && { seed }),
  };
}

const newMessage = (some: Omit<Message, "id" | "created">): Message => ({
  id: crypto.randomUUID(),
  created: Date.now(),
  ...some,
});

/** Sends a question behind the open branch, or begins a conversation with it. */
export async function send(text: string, attachments: readonly Attachment[]): Promise<void> {
  const now = Date.now();
  let conversation = openId.value === null ? undefined : head(openId.value);
  if (!conversation) {
    const title = titleOf(text || (attachments[0]?.name ?? ""));
    const preset = settings.value.preset;
    conversation = {
      id: crypto.randomUUID(),
      title,
      created: now,
      updated: now,
      leaf: null,
      preset,
    };
    await put(conversation);
    await openConversation(conversation.id);
  }
  await ask(conversation, conversation.leaf, text, attachments);
}

/** Asks the question of `message` anew, in other words: another branch. */
export async function edit(message: Message, text: string): Promise<void> {
  const conversation = head(message.conversation);
  if (conversation) await ask(conversation, message.parent, text, message.attachments ?? []);
}

async function ask(
  conversation: Conversation,
  parent: string | null,
  content: string,
  attachments: readonly Attachment[],
): Promise<void> {
  const question = newMessage({
    conversation: conversation.id,
    parent,
    role: "user",
    content,
    ...(attachments.length > 0 && { attachments }),
  });
  await put({ ...conversation, leaf: question.id, updated: question.created, draft: undefined }, [
    question,
  ]);
  await answerTo(question);
}

/** Another answer to the same question. */
export async function regenerate(message: Message): Promise<void> {
  const question = messages.value.get(message.parent ?? "");
  if (question) await answerTo(question);
}

/** Carries on an answer that was cut off. */
export async function carryOn(message: Message): Promise<void> {
  await run(message, true);
}

export async function answerTo(question: Message): Promise<void> {
  const conversation = head(question.conversation);
  if (!conversation) return;
  const model = engine.state.value.model?.label;
  const message = newMessage({
    conversation: conversation.id,
    parent: question.id,
    role: "assistant",
    content: "",
    // Until it has ended: what is kept if the page is closed in the middle.
    ended: "stopped",
    ...(model !== undefined && { model }),
  });
  await put({ ...conversation, leaf: message.id, updated: message.created }, [message]);
  await run(message, false);
}

async function run(message: Message, goesOn: boolean): Promise<void> {
  const conversation = head(message.conversation);
  if (!conversation || lives.value.has(message.id)) return;
  const live: Live = {
    message,
    blocks: new Blocks(message.content),
    stop: new AbortController(),
    version: signal(0),
    notice: signal(""),
    content: message.content,
    reasoning: message.reasoning ?? "",
    tools: message.tools ?? "",
  };
  lives.value = new Map(lives.value).set(message.id, live);
  const path = branchTo(messages.value, goesOn ? message.id : message.parent);
  const { system } = presetOf(conversation.preset);
  const request = requestOf(path, system, conversation, goesOn);
  let kept = performance.now();
  const onEvent = ({ parts = [], start, notice }: AnswerEvent): void => {
    batch(() => {
      for (const { channel, text } of parts) take(live, channel, text);
      if (parts.length > 0) live.version.value++;
      if (notice !== undefined) live.notice.value = notice;
      else if (parts.length > 0) live.notice.value = "";
    });
    if (start !== undefined) void leave(conversation.id, path[start - (system ? 1 : 0)]);
    if (performance.now() - kept < KEEP_EVERY) return;
    kept = performance.now();
    void putMessage(written(live, "stopped"));
  };
  let end: Message;
  try {
    const { finish, stats } = await engine.answer(request, onEvent, live.stop.signal);
    end = { ...written(live, endOf(finish)), stats };
  } catch (error) {
    const { code } = error as { code?: string };
    const { contextLength = 0 } = engine.state.value.model ?? {};
    const said = code === "context/overflow" ? tooLong(contextLength) : words(error);
    end = { ...written(live, "error"), error: said };
  }
  await putMessage(end);
  const rest = new Map(lives.value);
  rest.delete(message.id);
  lives.value = rest;
  announcement.value = end.error ?? `Answer: ${end.content.slice(0, 2000)}`;
  const found = head(conversation.id);
  if (found) await put({ ...found, updated: Date.now() });
}

function requestOf(
  path: readonly Message[],
  system: string,
  conversation: Conversation,
  goesOn: boolean,
): AnswerRequest {
  const before: ChatMessage[] = system === "" ? [] : [{ role: "system", content: system }];
  const at = path.findIndex(({ id }) => id === conversation.start);
  return {
    messages: [...before, ...path.map(asPrompt)],
    start: at > 0 ? at + before.length : 0,
    goesOn,
    sampling: samplingOf(presetOf(conversation.preset)),
  };
}

function take(live: Live, channel: "content" | "reasoning" | "tool", text: string): void {
  if (channel === "content") {
    live.content += text;
    live.blocks.add(text);
  } else if (channel === "reasoning") live.reasoning += text;
  else live.tools += text;
}

const written = ({ message, content, reasoning, tools }: Live, ended: Ended): Message => {
  const { error: _, stats: __, ...rest } = message;
  return {
    ...rest,
    content,
    ended,
    ...(reasoning !== "" && { reasoning }),
    ...(tools !== "" && { tools }),
  };
};

const endOf = (finish: string): Ended =>
  finish === "aborted" ? "stopped" : finish === "length" || finish === "context" ? finish : "stop";

/** Turns before `first` have left the prompt. */
async function leave(conversation: string, first: Message | undefined): Promise<void> {
  const found = head(conversation);
  if (found && first) await put({ ...found, start: first.id });
}
