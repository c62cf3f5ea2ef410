/** Texts that come from files and callers, made fit for messages. */

/** Control characters, and those that turn or hide the text beside them. */
const unseen = /[\p{Cc}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/gu;

const escaped = (letter: string): string =>
  `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** A text from a file as it stands in messages: in quotes, on one line, cut after `most` characters. */
export function quoted(text: string, most = 60): string {
  // Cut before it is taken apart: it may be megabytes.
  const letters = [...text.slice(0, 2 * most + 2)];
  const cut = letters.length > most ? `${letters.slice(0, most).join("")}…` : text;
  return JSON.stringify(cut).replace(unseen, escaped);
}

/** A whole message without control characters, whatever names and texts went into it. */
export const oneLine = (text: string): string =>
  text.replace(/\s*\n\s*/g, " ").replace(unseen, escaped);

/** The nearest of some words by edit distance, if it is near enough to be meant. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(word, candidate);
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + Number(a[i - 1] !== b[j - 1]));
    row = next;
  }
  return row[b.length];
}
