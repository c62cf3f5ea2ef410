/**
 * Markdown that grows: text is added at its end, and only its open part, the last block, is read again. A block is
 * closed when another one has begun behind it.
 */
import { Lexer, type Token, type Tokens, type TokensList } from "marked";

export interface Block {
  /** The number of the block in the text. */
  readonly key: number;
  readonly token: Token;
}

/** Characters of a list from which on its whole items are closed, and of other blocks from which on they stay plain. */
const LONG = 8192;

export class Blocks {
  readonly closed: Block[] = [];
  /** The last block as far as it has come, and the one before it while a single unfinished line stands behind that. */
  open: readonly Block[] = [];
  /** Text behind the closed blocks. */
  #rest = "";
  /** A carriage return at the end: the line feed that belongs to it may follow. */
  #held = "";
  /** Addresses that closed blocks give names to. */
  #links: TokensList["links"] = {};

  constructor(text = "") {
    if (text !== "") this.add(text);
  }

  add(text: string): void {
    const all = this.#held + text;
    this.#held = all.endsWith("\r") ? "\r" : "";
    const added = all.slice(0, all.length - this.#held.length).replace(/\r\n?/g, "\n");
    this.#rest += added;
    const code = openFence(this.#rest);
    if (code) this.#setOpen(code);
    else if (
      this.#rest.length - added.length > 2 * LONG &&
      !/\n\s*\n/.test(this.#rest.slice(-added.length - 2))
    )
      this.#setOpen(plain(this.#rest));
    else this.#read();
  }

  /** All of them. */
  all(): readonly Block[] {
    return [...this.closed, ...this.open];
  }

  #read(): void {
    const tokens = this.#lex(this.#rest);
    const shown = tokens.flatMap(({ type }, i) => (type === "space" ? [] : [i]));
    const last = tokens[shown.at(-1) ?? 0];
    // A line that has only begun may yet belong to the block before it: a "3" becomes the third item of a list.
    const begun = last === tokens.at(-1) && !last?.raw.includes("\n");
    const from = shown.at(begun ? -2 : -1) ?? shown[0] ?? 0;
    let at = 0;
    for (const token of tokens.slice(0, from)) {
      at += token.raw.length;
      this.#close(token);
    }
    const open = tokens.slice(from).filter(({ type }) => type !== "space");
    if (open[0]?.type === "list" && open[0].raw.length > LONG) {
      const list = open[0] as Tokens.List;
      const items = list.items.slice(0, -1);
      const raw = items.map((item) => item.raw).join("");
      if (items.length > 0 && list.raw.startsWith(raw)) {
        this.#close({ ...list, items, raw });
        at += raw.length;
        open[0] = this.#lex(list.raw.slice(raw.length))[0];
      }
    }
    this.#rest = this.#rest.slice(at);
    this.#setOpen(...open);
  }

  #close(token: Token): void {
    if (token.type === "space") return;
    if (token.type === "def") this.#links[token.tag] ??= { href: token.href, title: token.title };
    this.closed.push({ key: this.closed.length, token });
  }

  #setOpen(...tokens: Token[]): void {
    this.open = tokens.map((token, i) => ({ key: this.closed.length + i, token }));
  }

  #lex(text: string): Token[] {
    const lexer = new Lexer({ gfm: true });
    lexer.tokens.links = { ...this.#links };
    return lexer.lex(text);
  }
}

/** Text that begins a fence and does not end it: a code block, for which no other line matters. */
function openFence(text: string): Tokens.Code | undefined {
  const begin = /^\n* {0,3}(`{3,}(?=[^`\n]*\n)|~{3,})([^\n]*)\n/.exec(text);
  if (!begin) return undefined;
  const [head, fence, lang] = begin;
  const end = new RegExp(`^ {0,3}${fence[0]}{${fence.length},}[ \\t]*$`, "m");
  if (end.test(text.slice(head.length))) return undefined;
  return { type: "code", raw: text, lang: lang.trim(), text: text.slice(head.length) };
}

const plain = (text: string): Tokens.Paragraph => ({
  type: "paragraph",
  raw: text,
  text,
  tokens: [{ type: "text", raw: text, text, escaped: false } as Tokens.Text],
});
