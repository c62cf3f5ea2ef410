/**
 * Keeps special tokens that users only spell apart from those that the template writes.
 *
 * Prompts are tokenized with special tokens parsed, so a message with `<|im_end|>` in it would end the
 * user's turn. To know who wrote what, the conversation is rendered a second time with the first
 * character of every such spelling exchanged for a stand-in from Unicode's private use area, which
 * trims, compares and measures like the character it stands for. Where a spelling in the result begins
 * with a stand-in, a message brought it. Nothing is known of the template for this; that the second
 * rendering says the same as the first, stand-ins aside, is checked:
 *
 * 1. All characters that begin some special token are exchanged. This also finds tokens that the
 *    template puts together from two strings of a user's.
 * 2. If the template then says something else (it looks for a `<` itself), only those that begin a
 *    whole spelling are.
 * 3. If it still does (it looks for `</think>`, say), the model's own earlier answers keep their
 *    spellings, so that their reasoning is found, and the rest is rendered with stand-ins for good: a
 *    user's spelling of a token means nothing to the template either.
 *
 * Left as it is: a token whose beginning the user writes and whose end the template writes.
 */
import type { Message } from "./prepare.ts";

/** A stretch of a rendered prompt. */
export interface PromptSegment {
  readonly text: string;
  /** True where special tokens are to be read as such; false where a message only spelled one. */
  readonly special: boolean;
}

/** Is given each piece of a text that is written, and may refuse it by an error. */
export type Written = (piece: string) => void;

type Render = (
  messages: readonly Message[],
  tools: readonly object[],
  written?: Written,
) => Generator<void, string>;

/** Where the private use areas begin: characters for BMP code points, and for those beyond. */
const PRIVATE_BMP = 0xe000;
const PRIVATE_BMP_END = 0xf8ff;
const PRIVATE_BEYOND = 0xf0000;

/** Renders and cuts a prompt; `specials` are the texts of special tokens. */
export function* cutPrompt(
  render: Render,
  messages: readonly Message[],
  tools: readonly object[],
  specials: readonly string[],
  written?: Written,
): Generator<void, PromptSegment[]> {
  const plain = yield* render(messages, tools, written);
  const given = JSON.stringify([messages, tools], (_, value) =>
    typeof value === "bigint" ? Number(value) : value,
  );
  const tokens = new Spellings(specials, given + plain);
  if (!tokens.beginsIn(given)) return [{ text: plain, special: true }];

  const everything = (text: string): string => tokens.markAll(text);
  const spellings = (text: string): string => tokens.markSpelled(text);
  for (const mark of [everything, spellings]) {
    const marked = tokens.read(yield* render(deep(messages, mark), deep(tools, mark)));
    if (marked.text === plain) return tokens.cut(marked);
  }
  const others = messages.map((m) => (m["role"] === "assistant" ? m : deep(m, spellings)));
  return tokens.cut(tokens.read(yield* render(others, deep(tools, spellings))));
}

/** Plain data with every string and key changed. */
export function deep<T>(value: T, change: (text: string) => string): T {
  const walk = (v: unknown): unknown => {
    if (typeof v === "string") return change(v);
    if (Array.isArray(v)) return v.map(walk);
    if (typeof v !== "object" || v === null) return v;
    return Object.fromEntries(Object.entries(v).map(([k, item]) => [change(k), walk(item)]));
  };
  return walk(value) as T;
}

/** A rendering with the stand-ins taken out, and where they stood. */
interface Marked {
  readonly text: string;
  readonly marks: readonly number[];
}

class Spellings {
  /** Special texts by their first character, longest first. */
  readonly #byFirst = new Map<string, string[]>();
  readonly #standIns = new Map<string, string>();
  /** First character by stand-in, and by stand-in as JSON escapes it. */
  readonly #originals = new Map<string, string>();

  /** `taken` is text whose private use characters are left alone. */
  constructor(specials: readonly string[], taken: string) {
    for (const special of new Set(specials)) {
      const [first] = special;
      if (first === undefined) continue;
      const same = this.#byFirst.get(first);
      if (same) same.push(special);
      else this.#byFirst.set(first, [special]);
    }
    let [bmp, beyond] = [PRIVATE_BMP, PRIVATE_BEYOND];
    for (const [first, same] of this.#byFirst) {
      same.sort((a, b) => b.length - a.length);
      let standIn: string;
      let escaped: string;
      do {
        const code = first.length > 1 || bmp > PRIVATE_BMP_END ? beyond++ : bmp++;
        standIn = String.fromCodePoint(code);
        escaped = Array.from({ length: standIn.length }, (_, i) => unicodeEscape(standIn, i)).join(
          "",
        );
      } while (taken.includes(standIn) || taken.includes(escaped));
      this.#standIns.set(first, standIn);
      this.#originals.set(standIn, first).set(escaped, first);
    }
  }

  /** True if some character of `text` begins a special token. */
  beginsIn(text: string): boolean {
    for (const first of this.#byFirst.keys()) if (text.includes(first)) return true;
    return false;
  }

  markAll(text: string): string {
    let marked = text;
    for (const [first, standIn] of this.#standIns) marked = marked.replaceAll(first, standIn);
    return marked;
  }

  markSpelled(text: string): string {
    if (!this.beginsIn(text)) return text;
    let [out, at] = ["", 0];
    for (let i = 0; i < text.length; i++) {
      const spelled = this.#spelledAt(text, i);
      if (spelled === undefined) continue;
      const [first] = spelled;
      out += text.slice(at, i) + this.#standIns.get(first);
      at = i + first.length;
      i = at - 1;
    }
    return out + text.slice(at);
  }

  /** Takes the stand-ins out again. */
  read(rendered: string): Marked {
    const marks: number[] = [];
    let [text, at] = ["", 0];
    for (const found of rendered.matchAll(STAND_IN)) {
      const original = this.#originals.get(found[0]);
      if (original === undefined) continue;
      text += rendered.slice(at, found.index);
      marks.push(text.length);
      text += original;
      at = found.index + found[0].length;
    }
    return { text: text + rendered.slice(at), marks };
  }

  /** The prompt, with the spellings that begin at marks as stretches of their own. */
  cut({ text, marks }: Marked): PromptSegment[] {
    const out: PromptSegment[] = [];
    let at = 0;
    for (const mark of marks) {
      const spelled = mark < at ? undefined : this.#spelledAt(text, mark);
      if (spelled === undefined) continue;
      if (mark > at) out.push({ text: text.slice(at, mark), special: true });
      out.push({ text: spelled, special: false });
      at = mark + spelled.length;
    }
    if (at < text.length || out.length === 0) out.push({ text: text.slice(at), special: true });
    return out;
  }

  /** The longest special text that stands at position `i`. */
  #spelledAt(text: string, i: number): string | undefined {
    const [first] = String.fromCodePoint(text.codePointAt(i) ?? 0);
    return this.#byFirst.get(first)?.find((special) => text.startsWith(special, i));
  }
}

const unicodeEscape = (text: string, i: number): string =>
  `\\u${text.charCodeAt(i).toString(16).padStart(4, "0")}`;

/** What may be a stand-in: a private use character, or one as JSON escapes it. */
const STAND_IN =
  /[\ue000-\uf8ff\u{f0000}-\u{ffffd}]|\\u[ef][0-9a-f]{3}|\\udb[89ab][0-9a-f]\\ud[c-f][0-9a-f]{2}/gu;
