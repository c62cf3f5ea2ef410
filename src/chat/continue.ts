/** A last message of the assistant's as an answer that goes on, reasoning or content. */

import { commonPrefix } from "../base/common-prefix.ts";
import { WebggufError } from "../base/errors.ts";
import type { AnswerFormat } from "./formats/index.ts";
import type { ChatMessage } from "./messages.ts";
import { ASK, type Attempt, type Message, reasoningPlace, WORD } from "./prepare.ts";

/** The channel that goes on; true = the one where the message stops. */
export type Continuation = true | "content" | "reasoning";

/** What stands before a thought, and between it and the content. */
export interface ThoughtMarks {
  readonly open: string;
  readonly close: string;
  /** `open` begins the whole answer: the generation prompt is part of it. */
  readonly whole: boolean;
}

/** A last answer as the template writes it: what stands before a thought, behind it, before content. */
export interface AnswerFrame {
  readonly thought?: ThoughtMarks;
  /** What begins an answer without a thought. */
  readonly start: string;
}

/** How a template, or the model itself, frames the last answer. */
export function answerFrame(attempt: Attempt, formats: readonly AnswerFormat[]): AnswerFrame {
  const format = formats.find((one) => one.kind === "marks" && one.channel === "reasoning");
  const { start: mark, end } = format?.kind === "marks" ? format : { start: "", end: "" };
  const asked = attempt([ASK]) ?? "";
  const own = (text = ""): string => text.slice(commonPrefix(text, asked));
  const [start] = own(attempt([ASK, { role: "assistant", content: WORD }])).split(WORD);
  const answer = { role: "assistant", content: "thread" };
  const put = reasoningPlace(attempt);
  const [before, after = ""] = own(put && attempt([ASK, put(answer, WORD)])).split(WORD);
  const [close, rest] = after.split("thread");
  if (rest !== undefined && close !== "") {
    const at = mark === "" ? -1 : before.indexOf(mark.trim());
    const open = before.slice(Math.max(0, at));
    // llama.cpp leaves a line empty behind such a tag, whatever the template does.
    return {
      start,
      thought: {
        open,
        close: close === `\n${end}\n` && end[1] === "/" ? `${close}\n` : close,
        whole: at < 0,
      },
    };
  }
  // Models open and close tags themselves; other marks only where the template knows of thoughts.
  if (format && (put || /^\W\//.test(end)))
    return { start, thought: { open: mark, close: end, whole: false } };
  return { start };
}

/** Where a continued message goes on: in a thought if it is all that was said. */
export const goesOnIn = (
  { content, reasoning_content }: Pick<ChatMessage, "content" | "reasoning_content">,
  channel: Continuation,
): "content" | "reasoning" =>
  channel === true ? (!content?.length && reasoning_content ? "reasoning" : "content") : channel;

/**
 * The beginning of the answer that the message is: the generation prompt with what was said.
 * Errors: `input/invalid`.
 */
export function continued(
  message: Message,
  channel: Continuation,
  generation: string,
  { start, thought: marks }: AnswerFrame,
): string {
  const { role, content, reasoning_content: thought = "" } = message;
  if (role !== "assistant")
    throw new WebggufError(
      "input/invalid",
      `Cannot continue the last message: it is of role ${String(role)}; end with the assistant's, or leave out continueFinalMessage`,
      { expected: "assistant", actual: role },
    );
  const inThought = goesOnIn(message, channel) === "reasoning";
  if (!marks) {
    const head = generation !== "" && start.startsWith(generation) ? start : generation;
    return head + (inThought ? "" : content);
  }
  const { open, close, whole } = marks;
  const found = whole ? 0 : generation.indexOf(open.trim());
  const head = (found < 0 ? generation : generation.slice(0, found)) + open;
  if (inThought) return head + thought;
  if (thought === "" && generation.trimEnd().endsWith(close.trim())) return generation + content;
  return head + thought + close + content;
}
