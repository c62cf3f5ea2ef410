/** What is wrong with the text of a grammar or of a regular expression, and where. */
import { WebggufError } from "../base/errors.ts";

/** @param at UTF-16 units before the place */
export function syntaxError(
  what: string,
  source: string,
  at: number,
  problem: string,
): WebggufError {
  const before = source.slice(0, at).split("\n");
  const line = before.length;
  const column = before[line - 1].length + 1;
  const where = source.includes("\n") ? `line ${line}, column ${column}` : `column ${column}`;
  return new WebggufError("grammar/invalid", `Cannot read ${what} at ${where}: ${problem}`, {
    offset: at,
  });
}
