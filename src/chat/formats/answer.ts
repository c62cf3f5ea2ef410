/** Answers taken apart while they stream in: content, reasoning and tool calls. */

import type { ToolDefinition } from "../messages.ts";
import { HeaderParser } from "./headers.ts";
import { MarkParser } from "./marks.ts";
import type { AnswerFormat, AnswerPiece, HeaderFormat, MarkFormat, SchemaOf } from "./types.ts";
import { PieceWriter } from "./writer.ts";

/** What is known of an answer before it begins. */
export interface AnswerOptions {
  /** The prompt ends inside reasoning; `startsInReasoning` tells. @default false */
  readonly startsInReasoning?: boolean;
  /** The answer goes on with the content or the reasoning of a message that the prompt ends in. */
  readonly continues?: "content" | "reasoning";
  /**
   * Functions that the model may call: only calls of these are read as calls. Their schemas tell text
   * from numbers where a format does not.
   * @default none
   */
  readonly tools?: readonly ToolDefinition[];
}

/**
 * Reads one answer, in any cut: text goes in as it is generated, with special tokens printed where
 * {@link AnswerParser.wants} says so, and pieces come out. What may be a mark or a call is held back
 * until it is known; what turns out to be none is content, as it stands.
 */
export class AnswerParser {
  readonly #parser: MarkParser | HeaderParser;
  readonly #marks: readonly string[];

  constructor(formats: readonly AnswerFormat[], options: AnswerOptions = {}) {
    const { tools = [], continues, startsInReasoning } = options;
    const functions = new Map(tools.map((tool) => [tool.function.name, tool.function.parameters]));
    const schemaOf: SchemaOf = (tool, parameter) => {
      const properties = functions.get(tool)?.["properties"];
      return properties && (properties as Record<string, unknown>)[parameter];
    };
    const out = new PieceWriter((name) => functions.has(name));
    const headers = formats.find((format): format is HeaderFormat => format.kind === "headers");
    const marks = formats.filter(
      (format): format is MarkFormat =>
        format.kind === "marks" && (tools.length > 0 || format.channel !== "tool"),
    );
    this.#parser = headers
      ? new HeaderParser(headers, out, schemaOf, continues)
      : new MarkParser(marks, out, schemaOf, continues ?? (startsInReasoning && "reasoning"));
    if (continues) out.continue(continues);
    this.#marks = headers
      ? [...headers.begins, headers.headerEnd, ...headers.ends]
      : marks.flatMap((format) => [format.start, format.end]);
  }

  /** Takes more of the answer. */
  push(text: string): AnswerPiece[] {
    return this.#parser.push(text);
  }

  /**
   * Takes the end of the answer. If it was `cut` off (by a limit), what may be the beginning of a mark
   * or of a call is left out, and the answer may go on with another `push`.
   */
  end(cut = false): AnswerPiece[] {
    return this.#parser.end(cut);
  }

  /**
   * True if a special token of this text has to be printed here: it is part of a mark, or stands in a
   * call, whose inner marks are special tokens in many vocabularies. Ask after each push.
   */
  wants(special: string): boolean {
    return this.#parser.inBlock || this.#marks.some((mark) => mark.includes(special));
  }
}
