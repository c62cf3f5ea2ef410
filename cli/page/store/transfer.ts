/** Conversations as a JSON file, and back. What comes in is checked: it may be anybody's. */
import type { Attachment, Conversation, Ended, Message } from "./types.ts";

export const FORMAT = "webgguf conversations";

export interface Exported {
  readonly format: typeof FORMAT;
  readonly version: 1;
  readonly conversations: readonly { readonly head: Conversation; readonly messages: Message[] }[];
}

export function exported(
  conversations: readonly { head: Conversation; messages: Message[] }[],
): Exported {
  return { format: FORMAT, version: 1, conversations };
}

type Plain = Readonly<Record<string, unknown>>;

const refuse = (what: string): never => {
  throw new Error(`Cannot import the file: ${what}. Choose a file that this page exported.`);
};
const isObject = (value: unknown): value is Plain =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function text(of: Plain, key: string): string {
  const value = of[key];
  return typeof value === "string" ? value : refuse(`"${key}" is missing or no text`);
}
function number(of: Plain, key: string): number {
  const value = of[key];
  return typeof value === "number" && Number.isFinite(value)
    ? value
    : refuse(`"${key}" is missing or no number`);
}
const optional = <T>(of: Plain, key: string, read: (of: Plain, key: string) => T): T | undefined =>
  of[key] === undefined ? undefined : read(of, key);
const textOrNull = (of: Plain, key: string): string | null =>
  of[key] === null ? null : text(of, key);

const ENDS: readonly string[] = ["stop", "length", "context", "stopped", "error"];
const STATS = [
  "promptTokens",
  "cachedTokens",
  "completionTokens",
  "promptMs",
  "completionMs",
  "contextUsed",
  "contextLength",
] as const;

function messageFrom(value: unknown, conversation: string): Message {
  if (!isObject(value)) return refuse("a message is no object");
  const role = text(value, "role");
  if (role !== "user" && role !== "assistant") return refuse(`there is no role "${role}"`);
  const ended = optional(value, "ended", text);
  if (ended !== undefined && !ENDS.includes(ended)) refuse(`no answer ends with "${ended}"`);
  const stats = value["stats"];
  if (stats !== undefined && !isObject(stats)) refuse('"stats" is no object');
  const attachments = value["attachments"];
  if (attachments !== undefined && !Array.isArray(attachments)) refuse('"attachments" is no list');
  const given: Record<string, unknown> = {
    reasoning: optional(value, "reasoning", text),
    tools: optional(value, "tools", text),
    model: optional(value, "model", text),
    error: optional(value, "error", text),
    ended: ended as Ended | undefined,
    stats:
      stats && Object.fromEntries(STATS.map((key) => [key, number(stats as Plain, key)] as const)),
    attachments: (attachments as unknown[] | undefined)?.map((one): Attachment => {
      if (!isObject(one)) return refuse("an attachment is no object");
      return { name: text(one, "name"), text: text(one, "text") };
    }),
  };
  return {
    id: text(value, "id"),
    conversation,
    parent: textOrNull(value, "parent"),
    role,
    content: text(value, "content"),
    created: number(value, "created"),
    ...Object.fromEntries(Object.entries(given).filter(([, one]) => one !== undefined)),
  };
}

/** The conversations of a file's text. Errors say what is wrong with it. */
export function imported(json: string): { head: Conversation; messages: Message[] }[] {
  let file: unknown;
  try {
    file = JSON.parse(json);
  } catch {
    return refuse("it is no JSON");
  }
  if (!isObject(file) || file["format"] !== FORMAT) return refuse("it holds no conversations");
  if (file["version"] !== 1) return refuse("it is of a later version of this page");
  const list = file["conversations"];
  if (!Array.isArray(list)) return refuse('"conversations" is no list');
  return list.map((one) => {
    const head = isObject(one) ? one["head"] : undefined;
    const given = isObject(one) ? one["messages"] : undefined;
    if (!isObject(head) || !Array.isArray(given))
      return refuse("a conversation has no head or no messages");
    const id = text(head, "id");
    const messages = given.map((message) => messageFrom(message, id));
    const ids = new Set(messages.map((message) => message.id));
    if (ids.size < messages.length) refuse("two messages have one id");
    for (const { parent } of messages)
      if (parent !== null && !ids.has(parent)) refuse("a message follows one that is missing");
    const leaf = textOrNull(head, "leaf");
    if (leaf !== null && !ids.has(leaf)) refuse("the last message is missing");
    const start = optional(head, "start", text);
    const draft = optional(head, "draft", text);
    return {
      head: {
        id,
        title: text(head, "title"),
        created: number(head, "created"),
        updated: number(head, "updated"),
        leaf,
        preset: text(head, "preset"),
        ...(draft !== undefined && { draft }),
        ...(start !== undefined && ids.has(start) && { start }),
      },
      messages,
    };
  });
}
