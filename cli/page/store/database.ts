/** The page's database in the browser. */
import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import type { Conversation, Message, Preset, Settings } from "./types.ts";

interface Schema extends DBSchema {
  conversations: { key: string; value: Conversation };
  messages: { key: string; value: Message; indexes: { conversation: string } };
  presets: { key: string; value: Preset };
  /** `settings`, and the handles of files that the user picked, by reference. */
  values: { key: string; value: unknown };
}

let opened: Promise<IDBPDatabase<Schema>> | undefined;

function database(): Promise<IDBPDatabase<Schema>> {
  opened ??= openDB<Schema>("webgguf-page", 1, {
    upgrade(db) {
      db.createObjectStore("conversations", { keyPath: "id" });
      db.createObjectStore("messages", { keyPath: "id" }).createIndex(
        "conversation",
        "conversation",
      );
      db.createObjectStore("presets", { keyPath: "id" });
      db.createObjectStore("values");
    },
    // Another tab has a later version of the page.
    blocking: (_from, _to, event) => (event.target as IDBDatabase).close(),
  });
  return opened;
}

export const conversationsKept = async (): Promise<Conversation[]> =>
  (await (await database()).getAll("conversations")).sort((a, b) => b.updated - a.updated);

export const messagesOf = async (conversation: string): Promise<Message[]> =>
  (await database()).getAllFromIndex("messages", "conversation", conversation);

/** Puts a conversation and messages of it down together, or neither. */
export async function keep(
  head: Conversation | undefined,
  messages: readonly Message[] = [],
): Promise<void> {
  const work = (await database()).transaction(["conversations", "messages"], "readwrite");
  if (head) void work.objectStore("conversations").put(head);
  for (const message of messages) void work.objectStore("messages").put(message);
  await work.done;
}

export async function forget(conversation: string): Promise<void> {
  const work = (await database()).transaction(["conversations", "messages"], "readwrite");
  void work.objectStore("conversations").delete(conversation);
  const keys = await work.objectStore("messages").index("conversation").getAllKeys(conversation);
  for (const key of keys) void work.objectStore("messages").delete(key);
  await work.done;
}

/** Conversations with a message that holds the text, whatever the case of its letters. */
export async function conversationsWith(text: string): Promise<Set<string>> {
  const wanted = text.toLowerCase();
  const found = new Set<string>();
  const work = (await database()).transaction("messages");
  for (let at = await work.store.openCursor(); at; at = await at.continue()) {
    const { conversation, content, reasoning } = at.value;
    if (found.has(conversation)) continue;
    if (`${content}\n${reasoning ?? ""}`.toLowerCase().includes(wanted)) found.add(conversation);
  }
  return found;
}

export const presetsKept = async (): Promise<Preset[]> => (await database()).getAll("presets");
export async function keepPreset(preset: Preset): Promise<void> {
  await (await database()).put("presets", preset);
}
export async function forgetPreset(id: string): Promise<void> {
  await (await database()).delete("presets", id);
}

export const settingsKept = async (): Promise<Partial<Settings> | undefined> =>
  (await (await database()).get("values", "settings")) as Partial<Settings> | undefined;
export async function keepSettings(settings: Settings): Promise<void> {
  await (await database()).put("values", settings, "settings");
}

/** Handles of picked files: the browser opens them again without copying. */
export const handlesOf = async (reference: string): Promise<FileSystemFileHandle[] | undefined> =>
  (await (await database()).get("values", reference)) as FileSystemFileHandle[] | undefined;
export async function keepHandles(
  reference: string,
  handles: readonly FileSystemFileHandle[],
): Promise<void> {
  await (await database()).put("values", handles, reference);
}
