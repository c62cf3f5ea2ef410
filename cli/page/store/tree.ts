/** Branches of a conversation: pure functions on its messages. */
import type { Message } from "./types.ts";

export type Messages = ReadonlyMap<string, Message>;

/** From the first message to `leaf`. */
export function branchTo(messages: Messages, leaf: string | null): Message[] {
  const path: Message[] = [];
  const seen = new Set<string>();
  for (let id = leaf; id !== null && !seen.has(id); ) {
    const message = messages.get(id);
    if (!message) break;
    seen.add(id);
    path.push(message);
    id = message.parent;
  }
  return path.reverse();
}

/** Messages that follow the same one, the oldest first. */
export function siblings(messages: Messages, { parent, role }: Message): Message[] {
  return [...messages.values()]
    .filter((message) => message.parent === parent && message.role === role)
    .sort(byAge);
}

/** The end of the newest branch that goes through `id`. */
export function newestLeaf(messages: Messages, id: string): string {
  const children = new Map<string | null, Message[]>();
  for (const message of messages.values()) {
    const list = children.get(message.parent);
    if (list) list.push(message);
    else children.set(message.parent, [message]);
  }
  const seen = new Set<string>();
  let leaf = id;
  for (;;) {
    seen.add(leaf);
    const next = children.get(leaf)?.sort(byAge).at(-1);
    if (!next || seen.has(next.id)) return leaf;
    leaf = next.id;
  }
}

/** A message and all that follow it, in any branch. */
export function subtree(messages: Messages, id: string): string[] {
  const found = new Set([id]);
  for (let grown = true; grown; ) {
    grown = false;
    for (const message of messages.values())
      if (message.parent !== null && found.has(message.parent) && !found.has(message.id)) {
        found.add(message.id);
        grown = true;
      }
  }
  return [...found];
}

const byAge = (a: Message, b: Message): number =>
  a.created - b.created || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);

/** A title made from the first question. */
export function titleOf(text: string): string {
  const line = text.trim().split(/\n/, 1)[0].replace(/\s+/g, " ").trim();
  if (line.length <= 48) return line || "New conversation";
  const cut = line.slice(0, 48);
  const space = cut.lastIndexOf(" ");
  return `${cut.slice(0, space > 24 ? space : 48)}…`;
}
