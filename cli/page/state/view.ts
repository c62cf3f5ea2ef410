/** What of the page is open. */
import { type Signal, signal } from "@preact/signals";

export type Dialog = "models" | "settings" | "shortcuts";

/** The list of conversations, where the window is narrow. */
export const drawer: Signal<boolean> = signal(false);
export const dialog: Signal<Dialog | undefined> = signal(undefined);
/** What is searched for in conversations. */
export const query: Signal<string> = signal("");
export const found: Signal<ReadonlySet<string> | undefined> = signal(undefined);
/** The question that is being edited. */
export const editing: Signal<string | undefined> = signal(undefined);
/** Something is dragged over the page. */
export const dropping: Signal<boolean> = signal(false);

export const focusOn = (selector: string): void =>
  document.querySelector<HTMLElement>(selector)?.focus();
