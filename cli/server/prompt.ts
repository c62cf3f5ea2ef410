/** Prompts that are no conversation: texts, ids, both mixed, and lists of all of these. */
import type { Model } from "../../mod.ts";
import { requireRoom } from "./conversation.ts";
import { refuse } from "./errors.ts";

const EXPECTED = "a text, a list of token ids and texts, or a list of such prompts";

/** The prompts of a field as token ids, and whether the field held a list of them. */
export function readPrompts(
  value: unknown,
  name: string,
  model: Model,
): { prompts: number[][]; many: boolean } {
  if (value === undefined || value === null) refuse(name, EXPECTED, value);
  // A list of ids and texts is one prompt; one of texts alone, or with lists in it, is many.
  const many =
    Array.isArray(value) &&
    value.length > 0 &&
    (value.every((one) => typeof one === "string") || value.some(Array.isArray));
  const prompts = (many ? (value as unknown[]) : [value]).map((one, i) =>
    tokensOf(one, many ? `${name}[${i}]` : name, model),
  );
  for (const tokens of prompts) requireRoom(model, tokens.length);
  return { prompts, many };
}

/** The ids of one prompt; the beginning token where the model wants it and the prompt begins with text. */
function tokensOf(value: unknown, name: string, { tokenizer }: Model): number[] {
  const parts =
    typeof value === "object" && value !== null && "prompt_string" in value
      ? [value.prompt_string]
      : Array.isArray(value)
        ? value
        : [value];
  const tokens: number[] = [];
  parts.forEach((part, i) => {
    if (typeof part === "string")
      for (const id of tokenizer.encode(part, { addSpecial: i === 0, parseSpecial: true }))
        tokens.push(id);
    else if (Number.isInteger(part) && Number(part) >= 0 && Number(part) < tokenizer.size)
      tokens.push(Number(part));
    else if (Number.isInteger(part))
      refuse(name, `made of token ids below ${tokenizer.size}`, part);
    else refuse(name, EXPECTED, part);
  });
  if (tokens.length === 0) refuse(name, "a prompt of at least one token", value);
  return tokens;
}
