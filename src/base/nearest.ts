/** For messages about unknown names: which may have been meant. */

/** Edits that turn one word into the other: letters put in, taken out or replaced. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++)
      next.push(Math.min(row[j] + Number(a[i] !== b[j]), row[j + 1] + 1, next[j] + 1));
    row = next;
  }
  return row[b.length];
}

/** The known names near enough to be meant by `word`, the nearest first, at most `most`. */
export function nearest(word: string, known: readonly string[], most = 3): string[] {
  const limit = Math.max(1, Math.floor(word.length / 2));
  if (word.length > 40) return [];
  return known
    .map((name) => ({ name, edits: distance(word.toLowerCase(), name.toLowerCase()) }))
    .filter(({ edits }) => edits <= limit)
    .sort((a, b) => a.edits - b.edits)
    .slice(0, most)
    .map(({ name }) => name);
}
