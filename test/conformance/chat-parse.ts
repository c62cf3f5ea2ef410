/**
 * Answers taken apart: what they say in the end, and that no cut contradicts it. At every character
 * what was given out must begin what is expected, and an answer that ends there must have no mark and
 * no part of a call in its texts.
 */
import { AnswerParser, formatsOf, startsInReasoning } from "../../src/chat/formats/index.ts";
import type { AnsweredCall, AnswerFormat, AnswerPiece } from "../../src/chat/formats/types.ts";
import type { ToolDefinition } from "../../src/chat/messages.ts";
import type { ChatCase } from "./chat.ts";

interface ExpectedCall {
  readonly name: string;
  /** An object, or text where they are not complete. */
  readonly arguments: unknown;
  readonly id?: string;
}

interface Expected {
  readonly content: string;
  readonly reasoning_content: string;
  readonly tool_calls: readonly ExpectedCall[];
}

export interface ParseCase extends ChatCase {
  /** Text that merely shows the marks, in place of a template. */
  readonly formats_of?: string;
  readonly tools?: readonly ToolDefinition[];
  readonly options: {
    readonly tool_choice?: string;
    readonly continue_final_message?: "content" | "reasoning";
  };
  /** The end of the prompt. */
  readonly prompt_end?: string;
  readonly answer: string;
  /** It is cut off here, and more will come. */
  readonly partial: boolean;
  readonly expected: Expected;
  /** With reasoning parted, where `expected` leaves it in the content. */
  readonly expected_split?: Expected;
  /** Without what the message that is continued says already. */
  readonly expected_delta?: Expected;
  /** Spellings that are control tokens, which are printed only where the parser asks for them. */
  readonly control_tokens?: readonly string[];
}

/** What the pieces of an answer say. */
interface Said {
  readonly content: string;
  readonly reasoning_content: string;
  readonly calls: readonly AnsweredCall[];
  /** The calls' arguments as their parts give them. */
  readonly parts: readonly string[];
}

export function parseDifferences(one: ParseCase, source: string): readonly string[] {
  const formats = formatsOf(one.formats_of ?? source);
  const wanted = one.expected_delta ?? one.expected_split ?? one.expected;
  const steps = stepsOf(one);
  const whole = read(one, formats, steps);
  const found = new Set(differences(wanted, whole, one.partial));
  const growing: AnswerPiece[] = [];
  const parser = parserOf(one, formats);
  let at = 0;
  for (const step of steps) {
    growing.push(...push(parser, one, step));
    at += step.length;
    const cut = at < one.answer.length || one.partial;
    const ended = read(one, formats, [one.answer.slice(0, at)], cut);
    for (const part of [
      ...contradictions(wanted, whole, saidBy(growing)).map((what) => `${what} before`),
      ...endContradictions(wanted, whole, ended).map((what) => `${what} of an answer that ends at`),
    ])
      if (found.size < 5) found.add(`${part} character ${at}`);
  }
  return [...found];
}

function parserOf(one: ParseCase, formats: readonly AnswerFormat[]): AnswerParser {
  return new AnswerParser(formats, {
    startsInReasoning: startsInReasoning(one.prompt_end ?? "", formats),
    continues: one.options.continue_final_message,
    tools: one.options.tool_choice === "none" ? [] : (one.tools ?? []),
  });
}

/** Characters, control tokens whole. */
function stepsOf({ answer, control_tokens = [] }: ParseCase): string[] {
  const steps: string[] = [];
  for (let at = 0; at < answer.length; at += steps[steps.length - 1].length) {
    const token = control_tokens.find((text) => answer.startsWith(text, at));
    steps.push(token ?? String.fromCodePoint(answer.codePointAt(at) ?? 0));
  }
  return steps;
}

function push(parser: AnswerParser, one: ParseCase, text: string): AnswerPiece[] {
  const tokens = one.control_tokens ?? [];
  if (tokens.includes(text)) return parser.wants(text) ? parser.push(text) : [];
  if (!tokens.some((token) => text.includes(token))) return parser.push(text);
  return stepsOf({ ...one, answer: text }).flatMap((step) => push(parser, one, step));
}

function read(
  one: ParseCase,
  formats: readonly AnswerFormat[],
  texts: readonly string[],
  cut = one.partial,
): Said {
  const parser = parserOf(one, formats);
  const pieces = texts.flatMap((text) => push(parser, one, text));
  return saidBy([...pieces, ...parser.end(cut)]);
}

function saidBy(pieces: readonly AnswerPiece[]): Said {
  const text = (wanted: string): string =>
    pieces.flatMap(({ channel, text: said }) => (channel === wanted ? [said] : [])).join("");
  const parts: string[] = [];
  for (const { part } of pieces)
    if (part) parts[part.index] = (parts[part.index] ?? "") + part.arguments;
  return {
    content: text("content"),
    reasoning_content: text("reasoning"),
    calls: pieces.flatMap(({ toolCall }) => toolCall ?? []),
    parts,
  };
}

const TEXTS = ["content", "reasoning_content"] as const;

function differences(wanted: Expected, said: Said, partial: boolean): string[] {
  const found: string[] = TEXTS.filter((name) => wanted[name].trim() !== said[name].trim());
  if (wanted.tool_calls.length !== said.calls.length) return [...found, "number of calls"];
  wanted.tool_calls.forEach((call, i) => {
    const { name, id, arguments: json, unfinished } = said.calls[i];
    if (name !== call.name) found.push("name");
    if (call.id && id !== call.id) found.push("id");
    if (canonical(call.arguments) !== canonical(json)) found.push("arguments");
    if (json !== said.parts[i]) found.push("parts of the arguments");
    if (unfinished && !partial) found.push("unfinished");
  });
  return found;
}

/** Texts that cannot become what is wanted. */
const textContradictions = (wanted: Expected, said: Said): string[] =>
  TEXTS.filter((name) => !wanted[name].trimStart().startsWith(said[name].trim()));

/** The same of an answer that ends early: its last call is as far as it came. */
function endContradictions(wanted: Expected, whole: Said, said: Said): string[] {
  const found = textContradictions(wanted, said);
  // A call in reasoning that is never closed is one.
  if (said.reasoning_content.trim() !== whole.reasoning_content.trim()) return found;
  said.calls.forEach(({ name, arguments: json, unfinished }, i) => {
    const end = whole.calls[i];
    if (
      end?.name !== name ||
      !(unfinished ? end.arguments.startsWith(json) : end.arguments === json)
    )
      found.push("call");
  });
  return found;
}

/** What cannot become what is wanted, or what the whole answer gives. */
function contradictions(wanted: Expected, whole: Said, said: Said): string[] {
  const found = textContradictions(wanted, said);
  said.calls.forEach((call, i) => {
    if (call.arguments !== whole.calls[i]?.arguments || call.name !== wanted.tool_calls[i]?.name)
      found.push("call");
  });
  said.parts.forEach((json, i) => {
    if (whole.parts[i]?.startsWith(json) !== true) found.push("parts of the arguments");
  });
  return found;
}

/** Arguments with their keys in order; what is no JSON as it is; none as an empty object. */
function canonical(given: unknown): string {
  let value = given;
  if (typeof given === "string") {
    try {
      value = JSON.parse(given || "{}");
    } catch {
      return given.trim();
    }
  }
  return JSON.stringify(value ?? {}, (_, item: unknown) =>
    typeof item === "object" && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}
