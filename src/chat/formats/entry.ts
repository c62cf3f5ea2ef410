/** How the tables of formats are written. */
import type { AnswerChannel, AnswerFormat, MarkFormat } from "./types.ts";

/** A format, and how a template shows that its model writes it. */
export interface Entry {
  readonly format: AnswerFormat;
  /** Texts of which the template has one. @default the start mark */
  readonly shown?: readonly string[];
}

/** A format between marks. */
export const marks = (
  channel: AnswerChannel,
  name: string,
  start: string,
  end: string,
  more: Partial<MarkFormat> = {},
): MarkFormat => ({ kind: "marks", name, channel, start, end, ...more });

/** Hy3 builds its marks from pieces, so that only these can be looked for. */
export const HY3: string = ":opensource";
/** A format of Hy3. */
export const hy3 = (format: MarkFormat): Entry => ({ format, shown: ["<tool_calls{}>"] });
