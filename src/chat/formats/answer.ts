/** Answers taken apart while they stream in: content, reasoning and tool calls. */

import type { ToolDefinition } from "../messages.ts";
import { HeaderParser } from "./headers.ts";
import { MarkParser } from "./marks.ts";
import type {
  AnswerFormat,
  AnswerPiece,
  HeaderFormat,
  MarkFormat,
  ParameterType,
} from "./types.ts";

/** What is known of an answer before it begins. */
export interface AnswerOptions {
  /** The prompt ends inside reasoning; `startsInReasoning` tells. @default false */
  readonly startsInReasoning?: boolean;
  /**
   * Functions that the model may call. Their schemas tell text from numbers where a format does not;
   * an empty list means that nothing is read as a call.
   * @default any function
   */
  readonly tools?: readonly ToolDefinition[];
}

/**
 * Reads one answer, in any cut: text goes in as it is generated, with special tokens printed where
 * {@link AnswerParser.wants} says so, and pieces come out. A mark or a call that has begun is held back
 * until it is complete; what turns out to be none is content, as it stands.
 */
export class AnswerParser {
  readonly #parser: MarkParser | HeaderParser;
  readonly #marks: readonly string[];

  constructor(formats: readonly AnswerFormat[], options: AnswerOptions = {}) {
    const types = parameterTypes(options.tools ?? []);
    const headers = formats.find((format): format is HeaderFormat => format.kind === "headers");
    const calls = options.tools === undefined || options.tools.length > 0;
    const marks = formats.filter(
      (format): format is MarkFormat =>
        format.kind === "marks" && (calls || format.channel !== "tool"),
    );
    this.#parser = headers
      ? new HeaderParser(headers, types)
      : new MarkParser(marks, types, options.startsInReasoning ?? false);
    this.#marks = headers
      ? [...headers.begins, headers.headerEnd, ...headers.ends]
      : marks.flatMap((format) => [format.start, format.end]);
  }

  /** Takes more of the answer. */
  push(text: string): AnswerPiece[] {
    return this.#parser.push(text);
  }

  /** Takes the end of the answer. */
  end(): AnswerPiece[] {
    return this.#parser.end();
  }

  /**
   * True if a special token of this text has to be printed here: it is part of a mark, or stands in a
   * call, whose inner marks are special tokens in many vocabularies. Ask after each push.
   */
  wants(special: string): boolean {
    return this.#parser.inBlock || this.#marks.some((mark) => mark.includes(special));
  }
}

/** The types in the schemas of functions. */
function parameterTypes(tools: readonly ToolDefinition[]): ParameterType {
  const types = new Map<string, "text" | "json">();
  for (const { function: tool } of tools) {
    const properties = tool.parameters?.["properties"];
    if (typeof properties !== "object" || properties === null) continue;
    for (const [name, schema] of Object.entries(properties)) {
      const type = (schema as { type?: unknown } | null)?.type;
      if (typeof type === "string")
        types.set(JSON.stringify([tool.name, name]), type === "string" ? "text" : "json");
    }
  }
  return (tool, parameter) => types.get(JSON.stringify([tool, parameter]));
}
