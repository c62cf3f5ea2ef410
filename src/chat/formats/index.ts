/**
 * How models write reasoning and tool calls, and which of these a chat template shows. A format is a
 * start mark, an end mark and what reads the text between; a few families put headers before messages instead.
 */
import { HEADERS } from "./families.ts";
import { REASONING } from "./reasoning.ts";
import { TOOLS } from "./tools.ts";
import type { AnswerFormat } from "./types.ts";

export { type AnswerOptions, AnswerParser } from "./answer.ts";
export type { AnswerChannel, AnswerFormat, AnswerPiece, CallPart } from "./types.ts";

/** The formats that a template's text shows. */
export function formatsOf(templateSource: string): AnswerFormat[] {
  const all = [...HEADERS, ...REASONING, ...TOOLS]
    .filter(({ format, shown }) =>
      (shown ?? (format.kind === "marks" ? [format.start] : [])).some((text) =>
        templateSource.includes(text),
      ),
    )
    .map(({ format }) => format);
  // Headers say what everything is; marks inside messages would only be in the way.
  const headers = all.find((format) => format.kind === "headers");
  return headers ? [headers] : all;
}

/** True if a prompt ends inside reasoning, so that the answer goes on there. */
export function startsInReasoning(prompt: string, formats: readonly AnswerFormat[]): boolean {
  const end = prompt.trimEnd();
  return formats.some(
    (format) =>
      format.kind === "marks" &&
      format.channel === "reasoning" &&
      end.endsWith(format.start.trimEnd()),
  );
}
