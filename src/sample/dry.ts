/**
 * DRY ("don't repeat yourself", by p-e-w): a token that would go on with a sequence which already
 * stands in the text loses multiplier · base^(length − allowed), where length counts the tokens at
 * the end of the text that stand before an earlier occurrence of this token too. Sequence breakers
 * end the counting.
 */
import type { Breakers } from "./breakers.ts";
import { type Candidates, find, orderById } from "./candidates.ts";
import type { History } from "./history.ts";

export interface DryOptions {
  readonly multiplier: number;
  readonly base: number;
  /** Repetitions of fewer tokens are free. */
  readonly allowedLength: number;
}

/** Applies DRY for the tokens of `history`. Linear in its length. */
export function dry(
  c: Candidates,
  history: History,
  breakers: Breakers,
  options: DryOptions,
): void {
  const { allowedLength } = options;
  if (history.length <= allowedLength) return;
  const limit = sinceBreaker(history, breakers);
  if (limit < allowedLength) return;
  const longest = longestRepeats(history, limit, allowedLength);
  if (longest.size === 0) return;
  orderById(c);
  // base^exponent must not overflow f32, whose largest number is e^88.72.
  const maxExponent =
    options.base > 1.000001 ? Math.trunc(88.7228391 / Math.log(options.base)) : Infinity;
  for (const [token, length] of longest) {
    const at = find(c, token);
    if (at < 0 || breakers.get(token)?.some((tail) => tail.length === 0)) continue;
    const exponent = Math.min(length - allowedLength, maxExponent);
    c.logits[at] -= Math.fround(options.multiplier * options.base ** exponent);
  }
}

/** Tokens at the end of the text that come after the last complete breaker. */
function sinceBreaker(history: History, breakers: Breakers): number {
  if (breakers.size === 0) return history.length;
  for (let back = 0; back < history.length; back++) {
    const tails = breakers.get(history.recent(back));
    if (tails === undefined) continue;
    let complete = -1;
    for (const tail of tails)
      if (tail.length > complete && tail.length <= back && follows(history, back, tail))
        complete = tail.length;
    if (complete >= 0) return back - complete;
  }
  return history.length;
}

function follows(history: History, back: number, tail: ArrayLike<number>): boolean {
  for (let i = 0; i < tail.length; i++) if (history.recent(back - 1 - i) !== tail[i]) return false;
  return true;
}

/**
 * For each token, the longest run (at most `limit`, at least `least` tokens) before one of its
 * occurrences that equals the end of the text. The lengths come from the Z-function of the text
 * read backwards: z[k] = how far the text back from its end agrees with the text back from k.
 */
function longestRepeats(history: History, limit: number, least: number): Map<number, number> {
  const n = history.length;
  const text = new Int32Array(n);
  for (let back = 0; back < n; back++) text[back] = history.recent(back);
  const z = new Int32Array(n);
  const longest = new Map<number, number>();
  // [left, right) is the stretch found so far that reaches furthest and equals the beginning.
  for (let k = 1, left = 0, right = 0; k < n; k++) {
    let length = k < right ? Math.min(right - k, z[k - left]) : 0;
    while (k + length < n && text[length] === text[k + length]) length++;
    z[k] = length;
    if (k + length > right) {
      left = k;
      right = k + length;
    }
    const repeat = Math.min(length, limit);
    const next = text[k - 1]; // the token that came after this occurrence
    if (repeat >= least && repeat > (longest.get(next) ?? -1)) longest.set(next, repeat);
  }
  return longest;
}
