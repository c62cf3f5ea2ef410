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

/** Messages by the one that they follow, the oldest first. */
export function byParent(messages: Messages): Map<string | null, Message[]> {
  const groups = new Map<string | null, Message[]>();
  for (const message of messages.values()) {
    const group = groups.get(message.parent);
    if (group) group.push(message);
    else groups.set(message.parent, [message]);
  }
  for (const group of groups.values()) group.sort(byAge);
  return groups;
}

/** The end of the newest branch that goes through `id`. */
export function newestLeaf(messages: Messages, id: string): string {
  const children = byParent(messages);
  const seen = new Set<string>();
  let leaf = id;
  for (;;) {
    seen.add(leaf);
    const next = children.get(leaf)?.at(-1);
    if (!next || seen.has(next.id)) return leaf;
    leaf = next.id;
  }
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
