/** A prompt as tokens: text and ids are appended, messages are the whole conversation. */
import { commonPrefix } from "../base/common-prefix.ts";
import { WebggufError } from "../base/errors.ts";
import type { AnswerParser } from "../chat/formats/index.ts";
import type { ChatMessage } from "../chat/messages.ts";
import type { Loaded } from "./loaded.ts";
import type { GenerateOptions, Prompt } from "./types.ts";

/** The tokens that the session will hold, and how many of those it has now are among them. */
export interface ReadPrompt {
  readonly kept: number;
  readonly tokens: number[];
  /** For messages: what reads the answer. */
  readonly parser?: AnswerParser;
}

/** True for a list of messages (an empty list counts as no tokens). */
export function isChat(prompt: Prompt): prompt is readonly ChatMessage[] {
  return Array.isArray(prompt) && prompt.length > 0 && typeof prompt[0] === "object";
}

/** Reads a prompt against the tokens held so far. */
export function readPrompt(
  model: Pick<Loaded, "graph" | "tokenizer" | "render">,
  held: readonly number[],
  prompt: Prompt,
  options: GenerateOptions,
): ReadPrompt {
  if (isChat(prompt)) {
    const { tokens, parser } = model.render(prompt, options);
    return { kept: commonPrefix(held, tokens), tokens: requireSome([...tokens]), parser };
  }
  const added =
    typeof prompt === "string"
      ? model.tokenizer.encode(prompt, {
          addSpecial: held.length === 0,
          parseSpecial: options.parseSpecial ?? true,
        })
      : checkIds(prompt as ArrayLike<number>, model.graph.vocabulary);
  return { kept: held.length, tokens: requireSome([...held, ...Array.from(added)]) };
}

function checkIds(ids: ArrayLike<number>, vocabulary: number): ArrayLike<number> {
  for (let i = 0; i < ids.length; i++)
    if (!Number.isInteger(ids[i]) || ids[i] < 0 || ids[i] >= vocabulary)
      throw new WebggufError(
        "input/invalid",
        `Token ${i} of the prompt is ${String(ids[i])}; ids of this model are whole numbers from 0 to ${vocabulary - 1}`,
        { expected: vocabulary - 1, actual: ids[i] },
      );
  return ids;
}

function requireSome(tokens: number[]): number[] {
  if (tokens.length === 0)
    throw new WebggufError("input/invalid", "The prompt is empty; give some text or tokens");
  return tokens;
}
