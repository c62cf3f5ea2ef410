/**
 * Drafts by looking up: where the last few tokens stood before, what followed them then may follow
 * now. It costs nothing, and texts that repeat their prompt (edits, quotes, code, lists) are full of it.
 */
import { commonPrefix } from "../base/common-prefix.ts";
import type { Drafter } from "./speculate.ts";

/** The longest and the shortest run of tokens that is looked up. */
const LONGEST = 4;
const SHORTEST = 2;

/** An index of one text, kept up as the text grows; three numbers a token. */
export class NgramDrafter implements Drafter {
  #tokens: number[] = [];
  /** Hash of a run → index of the token that followed its latest occurrence. */
  readonly #after = new Map<number, number>();

  draft(tokens: readonly number[], max: number): number[] {
    this.#follow(tokens);
    const at = this.#find();
    if (at === undefined) return [];
    const text = this.#tokens;
    const draft: number[] = [];
    // A run that reaches the end of the text repeats with that period.
    for (let i = at; draft.length < max; i++) {
      const item = i < text.length ? text[i] : draft[i - text.length];
      // A given row cannot be sampled.
      if (item < 0) break;
      draft.push(item);
    }
    return draft;
  }

  /** Brings the index up to `tokens`; from the start if they are another text. */
  #follow(tokens: readonly number[]): void {
    if (commonPrefix(this.#tokens, tokens) < this.#tokens.length) {
      this.#tokens = [];
      this.#after.clear();
    }
    for (let i = this.#tokens.length; i < tokens.length; i++) {
      for (let n = SHORTEST; n <= Math.min(LONGEST, i); n++)
        this.#after.set(hash(this.#tokens, i - n, n), i);
      this.#tokens.push(tokens[i]);
    }
  }

  /** Index of what followed the longest run at the end of the text when it came before. */
  #find(): number | undefined {
    const text = this.#tokens;
    for (let n = Math.min(LONGEST, text.length); n >= SHORTEST; n--) {
      const start = text.length - n;
      const at = this.#after.get(hash(text, start, n));
      if (at !== undefined && sameRun(text, at - n, start, n)) return at;
    }
    return undefined;
  }
}

/** Two runs of one hash need not be the same. */
function sameRun(text: readonly number[], a: number, b: number, n: number): boolean {
  for (let i = 0; i < n; i++) if (text[a + i] !== text[b + i]) return false;
  return true;
}

/** FNV-1a over whole tokens; the length is part of it. */
function hash(text: readonly number[], start: number, n: number): number {
  let h = 0x811c9dc5 ^ n;
  for (let i = start; i < start + n; i++) h = Math.imul(h ^ text[i], 0x01000193);
  return h;
}
