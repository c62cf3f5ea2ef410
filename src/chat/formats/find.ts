/** Marks in text that comes in parts. */

/** Longest block that is waited for, in UTF-16 units; a longer one counts as text. */
export const MAX_BLOCK: number = 1 << 20;
/** As much of a block's beginning is shown to those who judge it early. */
const BEGINNING = 200;

/**
 * The first mark in `text` from `from` on. Without one, `at` is where text begins that may be the
 * beginning of a mark, or the end of the text; nothing may be if it is the `last` text.
 */
export function findMark(
  text: string,
  marks: readonly string[],
  from: number,
  last: boolean,
): { at: number; mark?: string } {
  const firsts = new Set(marks.map((mark) => mark[0]));
  for (let at = from; at < text.length; at++) {
    if (!firsts.has(text[at])) continue;
    let found: string | undefined;
    for (const mark of marks) {
      if (text.startsWith(mark, at)) {
        if (mark.length > (found?.length ?? 0)) found = mark;
      } else if (!last && text.length - at < mark.length && mark.startsWith(text.slice(at)))
        return { at };
    }
    if (found !== undefined) return { at, mark: found };
  }
  return { at: text.length };
}

/** Text up to one of some end marks. Takes time linear in its length, however it comes. */
export class Block {
  readonly #ends: readonly string[];
  readonly #parts: string[] = [];
  #length = 0;
  /** The end of what has come that may be the beginning of an end mark. */
  #tail = "";
  /** The first characters. */
  beginning = "";
  readonly #onText: (text: string) => void;
  /** The mark that ended it. */
  closedBy: string | undefined;

  /**
   * Without `ends`, it ends with the answer.
   *
   * @param onText gets the text of the block as soon as it is no beginning of an end mark
   */
  constructor(ends: readonly string[], onText: (text: string) => void = () => {}) {
    this.#ends = ends;
    this.#onText = onText;
  }

  /** Takes what belongs to the block; gives back what follows it. */
  add(text: string): string {
    const all = this.#tail + text;
    const { at, mark } = findMark(all, this.#ends, 0, false);
    const part = all.slice(0, at);
    this.#parts.push(part);
    this.#length += part.length;
    this.#onText(part);
    if (this.beginning.length < BEGINNING)
      this.beginning = (this.beginning + part).slice(0, BEGINNING);
    this.closedBy = mark;
    this.#tail = mark === undefined ? all.slice(at) : "";
    return mark === undefined ? "" : all.slice(at + mark.length);
  }

  get tooLong(): boolean {
    return this.#length > MAX_BLOCK;
  }

  /** All that has come, without the end mark. */
  body(): string {
    return this.#parts.join("") + this.#tail;
  }
}
