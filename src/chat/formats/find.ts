/** Marks in text that comes in parts. */

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
  for (let at = from; at < text.length; at++) {
    let found: string | undefined;
    for (const mark of marks) {
      if (mark[0] !== text[at]) continue;
      if (text.startsWith(mark, at)) {
        if (mark.length > (found?.length ?? 0)) found = mark;
      } else if (!last && text.length - at < mark.length && mark.startsWith(text.slice(at)))
        return { at };
    }
    if (found !== undefined) return { at, mark: found };
  }
  return { at: text.length };
}
