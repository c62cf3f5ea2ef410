/** The conversations, the one that is open, and its branch. */
import { batch, computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import {
  conversationsKept,
  conversationsWith,
  forget,
  keep,
  messagesOf,
} from "../store/database.ts";
import { exported, imported } from "../store/transfer.ts";
import { branchTo, byParent, newestLeaf } from "../store/tree.ts";
import type { Conversation, Message } from "../store/types.ts";
import { change, settings } from "./settings.ts";

/** Newest first. */
export const conversations: Signal<readonly Conversation[]> = signal([]);
/** Null = a conversation that is not begun. */
export const openId: Signal<string | null> = signal(null);
/** Messages of the open conversation, all branches. */
export const messages: Signal<ReadonlyMap<string, Message>> = signal(new Map());

export const opened: ReadonlySignal<Conversation | undefined> = computed(() =>
  conversations.value.find(({ id }) => id === openId.value),
);
export const branch: ReadonlySignal<readonly Message[]> = computed(() =>
  branchTo(messages.value, opened.value?.leaf ?? null),
);

/** Messages by the one that they follow, the oldest first. */
export const branches: ReadonlySignal<ReadonlyMap<string | null, readonly Message[]>> = computed(
  () => byParent(messages.value),
);

/** Other tabs of the page, which read again what changed. */
const tabs = "BroadcastChannel" in globalThis ? new BroadcastChannel("webgguf page") : undefined;
tabs?.addEventListener("message", async ({ data }: MessageEvent<string>) => {
  conversations.value = await conversationsKept();
  if (data === openId.value) await show(data);
});

/** Puts a conversation, and messages of it, into the state and the database. */
export async function put(head: Conversation, some: readonly Message[] = []): Promise<void> {
  batch(() => {
    conversations.value = [head, ...conversations.value.filter(({ id }) => id !== head.id)].sort(
      (a, b) => b.updated - a.updated,
    );
    if (head.id === openId.value) note(some);
  });
  await keep(head, some);
  tabs?.postMessage(head.id);
}

/** Puts messages of a conversation, without its place in the list. */
export async function putMessage(message: Message): Promise<void> {
  if (message.conversation === openId.value) note([message]);
  await keep(undefined, [message]);
}

function note(some: readonly Message[]): void {
  if (some.length === 0) return;
  const all = new Map(messages.value);
  for (const message of some) all.set(message.id, message);
  messages.value = all;
}

export async function load(): Promise<void> {
  conversations.value = await conversationsKept();
  const { open } = settings.value;
  if (open !== undefined && conversations.value.some(({ id }) => id === open)) await show(open);
}

async function show(id: string): Promise<void> {
  const all = await messagesOf(id);
  batch(() => {
    openId.value = id;
    messages.value = new Map(all.map((message) => [message.id, message]));
  });
}

export async function openConversation(id: string | null): Promise<void> {
  if (id === null)
    batch(() => {
      openId.value = null;
      messages.value = new Map();
    });
  else await show(id);
  change({ open: id ?? undefined });
}

export const head = (id: string): Conversation | undefined =>
  conversations.value.find((one) => one.id === id);

export async function rename(id: string, title: string): Promise<void> {
  const found = head(id);
  if (found && title.trim() !== "") await put({ ...found, title: title.trim() });
}

export async function remove(id: string): Promise<void> {
  conversations.value = conversations.value.filter((one) => one.id !== id);
  if (openId.value === id) await openConversation(null);
  await forget(id);
  tabs?.postMessage(id);
}

/** Shows the branch before or behind that of a message. */
export async function turnTo(message: Message, step: -1 | 1): Promise<void> {
  const all = branches.value.get(message.parent) ?? [];
  const next = all[all.findIndex(({ id }) => id === message.id) + step];
  const found = head(message.conversation);
  if (next && found) await put({ ...found, leaf: newestLeaf(messages.value, next.id) });
}

/** Ids of conversations with the text in their title or messages; undefined for an empty text. */
export async function search(text: string): Promise<ReadonlySet<string> | undefined> {
  const wanted = text.trim().toLowerCase();
  if (wanted === "") return undefined;
  const found = await conversationsWith(wanted);
  for (const { id, title } of conversations.value)
    if (title.toLowerCase().includes(wanted)) found.add(id);
  return found;
}

/** All conversations, or one, as the text of a file. */
export async function exportText(only?: string): Promise<string> {
  const some = conversations.value.filter(({ id }) => only === undefined || id === only);
  const list = [];
  for (const one of some) list.push({ head: one, messages: await messagesOf(one.id) });
  return JSON.stringify(exported(list), null, 1);
}

/** Takes the conversations of a file in; those that are here already are replaced. Resolves with their number. */
export async function importText(json: string): Promise<number> {
  const list = imported(json);
  for (const { head: one, messages: all } of list) {
    await forget(one.id);
    await put(one, all);
  }
  if (openId.value !== null) await show(openId.value);
  return list.length;
}
