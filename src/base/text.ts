/** Texts that come from files, made fit for messages. */

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
