/** A prompt as items: text and ids are appended, messages and parts are the whole conversation. */
import { commonPrefix } from "../base/common-prefix.ts";
import { WebggufError } from "../base/errors.ts";
import { contextOverflow } from "../base/overflow.ts";
import type { AnswerParser } from "../chat/formats/index.ts";
import type { ChatMessage } from "../chat/messages.ts";
import { givenWidth } from "../graph/graph.ts";
import { checkGiven } from "../graph/requests.ts";
import { encodeSteps } from "../tokenizer/tokenizer.ts";
import type { GivenVectors } from "./history.ts";
import type { Loaded } from "./loaded.ts";
import type { GenerateOptions, Prompt, PromptPart } from "./types.ts";

/** The items that the session will have, and how many of these it has already. */
export interface ReadPrompt {
  readonly common: number;
  readonly items: number[];
  /** For messages: what reads the answer. */
  readonly parser?: AnswerParser;
  /** For messages: the text of the conversation and its template. */
  readonly chat?: { readonly text: string; readonly template: string };
}

/** True for a list of messages (an empty list counts as no tokens). */
export function isChat(prompt: Prompt): prompt is readonly ChatMessage[] {
  return Array.isArray(prompt) && typeof prompt[0] === "object" && !isParts(prompt);
}

/** True for a list of token ids and given rows. */
export function isParts(prompt: Prompt): prompt is readonly PromptPart[] {
  const first: unknown = Array.isArray(prompt) ? prompt[0] : undefined;
  return typeof first === "object" && first !== null && ("rows" in first || "length" in first);
}

/** Reads a prompt against the items of the session so far, a stretch at a time, as far as the context goes. */
export function* readPrompt(
  model: Pick<Loaded, "graph" | "tokenizer" | "render" | "executor">,
  history: readonly number[],
  prompt: Prompt,
  options: GenerateOptions,
  vectors: GivenVectors,
): Generator<void, ReadPrompt> {
  if (isChat(prompt)) {
    const { text, tokens, template, parser } = yield* model.render(prompt, options, true);
    const chat = template === undefined ? undefined : { text, template };
    return {
      common: commonPrefix(history, tokens),
      items: requireSome([...tokens]),
      parser,
      ...(chat && { chat }),
    };
  }
  if (isParts(prompt)) {
    const items = requireSome(itemsOf(model, prompt, vectors));
    return { common: commonPrefix(history, items), items };
  }
  let added: readonly number[] | undefined;
  if (typeof prompt === "string") {
    const adds = { addSpecial: history.length === 0, parseSpecial: options.parseSpecial ?? true };
    const context = model.executor.contextLength;
    added = yield* encodeSteps(model.tokenizer, prompt, adds, context - history.length);
    if (!added) throw contextOverflow(context);
  } else added = itemsOf(model, prompt, vectors);
  return { common: history.length, items: requireSome([...history, ...added]) };
}

/** Token ids and given rows as items; refuses what this model cannot take. */
export function itemsOf(
  { graph, executor }: Pick<Loaded, "graph" | "executor">,
  prompt: ArrayLike<number> | readonly PromptPart[],
  vectors: GivenVectors,
): number[] {
  const tokensOf = (ids: ArrayLike<number>): number[] => {
    // Before they are looked at one by one.
    if (ids.length > executor.contextLength)
      throw contextOverflow(executor.contextLength, ids.length);
    return Array.from(checkIds(ids, graph.vocabulary));
  };
  if (!isParts(prompt)) return tokensOf(prompt);
  return prompt.flatMap((part) => {
    if (!("rows" in part)) return tokensOf(part);
    const width = givenWidth(graph);
    checkGiven(part, 0, width);
    return vectors.add(part.rows, width);
  });
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

/** Refuses a prompt of no items. */
export function requireSome(items: number[]): number[] {
  if (items.length === 0)
    throw new WebggufError("input/invalid", "The prompt is empty; give some text or tokens");
  return items;
}
