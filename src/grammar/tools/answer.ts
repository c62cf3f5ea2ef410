/** Answers of a chat with tools as a grammar: where calls begin, and what may stand before them. */
import { WebggufError } from "../../base/errors.ts";
import { formatsOf, startsInReasoning } from "../../chat/formats/index.ts";
import type { ToolDefinition } from "../../chat/messages.ts";
import { type Alternative, type Grammar, GrammarBuilder, type Term } from "../grammar.ts";
import { callsTerm } from "./calls.ts";
import { callStyleOf } from "./styles.ts";

/** `auto`: the model decides; `required`: one call at least; or one of the function of this name. */
export type ToolChoice = "auto" | "required" | { readonly name: string };

export interface ToolAnswerOptions {
  /** The chat template. */
  readonly template: string;
  /** What the answer follows; it may end inside reasoning. */
  readonly prompt: string;
  readonly tools: readonly ToolDefinition[];
  readonly toolChoice: ToolChoice;
  /** More than one call may come. Default true. */
  readonly parallel?: boolean;
  /** The token that a special token's text is; its marks are written with it alone. */
  readonly tokenOf?: (text: string) => number | undefined;
}

export interface ToolAnswer {
  /** The answer, or with `triggers` what of it begins with one of them. */
  readonly grammar: Grammar;
  /** With "auto": texts at whose beginning the grammar begins; before them all is free. */
  readonly triggers?: readonly string[];
}

const NOT_SHOWN =
  "the chat template shows no format of tool calls; ask for JSON (jsonSchema), or use a template that has one";

/**
 * The grammar of an answer with tools.
 *
 * @throws WebggufError `grammar/unsupported` where the template's format is not known or a schema
 * cannot be enforced; `input/invalid` where the function that is asked for is not among the tools
 */
export function toolAnswer(options: ToolAnswerOptions): ToolAnswer {
  const { template, prompt, tools, toolChoice, parallel, tokenOf } = options;
  const style = callStyleOf(template);
  if (!style)
    throw new WebggufError("grammar/unsupported", `Cannot enforce tool calls: ${NOT_SHOWN}`);
  const only = typeof toolChoice === "object" ? toolChoice.name : undefined;
  const offered = tools.filter((tool) => only === undefined || tool.function.name === only);
  if (offered.length === 0)
    throw new WebggufError(
      "input/invalid",
      `Cannot call ${only === undefined ? "a tool" : `"${only}"`}: it is not among the tools`,
      { key: "toolChoice" },
    );
  const builder = new GrammarBuilder();
  const mark = (text: string): Alternative => marks(builder, text, tokenOf);
  const several = parallel !== false && only === undefined;
  if (toolChoice === "auto") {
    const trigger = style.trigger ?? firstMark(style.begin);
    // Where it begins is read as text, whatever tokens it was written with.
    const begin = style.begin.startsWith(trigger) ? style.begin.slice(trigger.length) : "";
    const lead = style.begin.startsWith(trigger) ? trigger : (style.lead ?? "");
    const term = callsTerm(builder, { ...style, begin }, offered, { parallel: several, mark });
    return {
      grammar: builder.build(lead ? builder.sequence(builder.literal(lead), term) : term),
      triggers:
        style.begin === " to=" ? offered.map((tool) => ` to=${tool.function.name}`) : [trigger],
    };
  }
  const calls = callsTerm(builder, style, offered, { parallel: several, mark });
  const thought = thoughtTerm(builder, template, prompt, style.thought, mark);
  return { grammar: builder.build(thought ? builder.sequence(thought, calls) : calls) };
}

/** The first mark of several. */
const firstMark = (begin: string): string =>
  /^(<[^<>]*>|\[[A-Z_]+\]|\S+)/.exec(begin)?.[0] ?? begin;

/** A thought that may, or where one is open must end before the calls. */
function thoughtTerm(
  builder: GrammarBuilder,
  template: string,
  prompt: string,
  given: readonly [string, string] | undefined,
  mark: (text: string) => Alternative,
): Term | undefined {
  const formats = formatsOf(template);
  const format = formats.find((one) => one.kind === "marks" && one.channel === "reasoning");
  const marked = format?.kind === "marks" ? ([format.start, format.end] as const) : undefined;
  const between = given ?? marked;
  if (!between) return undefined;
  const r = builder.regex;
  const any = r.repeat(r.anyCharacter, 0);
  const [start, end] = between;
  const free = builder.lexeme(r.and(any, r.not(r.concat(any, r.text(end), any))));
  const blank = builder.lexeme(
    r.repeat(
      r.bytes([
        [0x20, 0x20],
        [0x0a, 0x0a],
      ]),
      0,
      2,
    ),
  );
  const rest = [free, ...mark(end), blank];
  if (startsInReasoning(prompt, formats)) return builder.sequence(...rest);
  return builder.optional(builder.sequence(...mark(start), ...rest));
}

/** A mark with its special tokens as tokens and all else as text. */
function marks(
  builder: GrammarBuilder,
  text: string,
  tokenOf: ToolAnswerOptions["tokenOf"],
): Alternative {
  const out: Term[] = [];
  let from = 0;
  const give = (to: number): void => {
    if (to > from) out.push(builder.literal(text.slice(from, to)));
  };
  for (let at = 0; at < text.length && tokenOf; ) {
    const found = tokenAt(text, at, tokenOf);
    if (!found) at++;
    else {
      give(at);
      out.push(builder.tokens([found.id]));
      from = at += found.length;
    }
  }
  give(text.length);
  return out;
}

/** The longest special token at a place of a mark; they begin and end with brackets of some kind. */
function tokenAt(
  text: string,
  at: number,
  tokenOf: (text: string) => number | undefined,
): { id: number; length: number } | undefined {
  if (!"<[]".includes(text[at])) return undefined;
  for (let end = text.length; end > at + 1; end--) {
    const id = tokenOf(text.slice(at, end));
    if (id !== undefined) return { id, length: end - at };
  }
  return undefined;
}
