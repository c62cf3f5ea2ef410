/** The message that an answer's pieces add up to. */
import type { ToolCall } from "../chat/messages.ts";
import type { AssistantMessage, Piece } from "./types.ts";

/** A call as far as it was told. */
interface Told {
  id?: string;
  readonly name: string;
  arguments: string;
  readonly whole?: boolean;
}

/** Takes pieces, and knows their message so far. */
export class AnswerMessage {
  #content = "";
  #reasoning = "";
  /** The calls by their numbers. */
  readonly #calls = new Map<number, Told>();

  get message(): AssistantMessage {
    // A call that goes on from an earlier answer has its name once it is whole.
    const calls = Array.from(this.#calls.values(), callOf).filter((call) => call.function.name);
    return {
      role: "assistant",
      content: this.#content === "" && calls.length > 0 ? null : this.#content,
      ...(this.#reasoning !== "" && { reasoning_content: this.#reasoning }),
      ...(calls.length > 0 && { tool_calls: calls }),
    };
  }

  /** The id that was told with a call's parts. */
  idOf(index: number): string | undefined {
    return this.#calls.get(index)?.id;
  }

  /** @param index the number of the piece's call; without it, the call is the one of its id */
  add({ channel, text, toolCall, toolCallPart: part }: Piece, index?: number): void {
    if (channel === "content") this.#content += text;
    else if (channel === "reasoning") this.#reasoning += text;
    if (part) {
      const { name = "", id } = part;
      const told = this.#calls.get(part.index) ?? { name, arguments: "" };
      told.arguments += part.arguments;
      if (id !== undefined) told.id = id;
      this.#calls.set(part.index, told);
    }
    if (toolCall) {
      const { id, function: call, unfinished } = toolCall;
      const whole = { id, name: call.name, arguments: call.arguments as string };
      this.#calls.set(index ?? this.#indexOf(id), { ...whole, whole: !unfinished });
    }
  }

  #indexOf(id: string | undefined): number {
    for (const [index, call] of this.#calls) if (call.id === id) return index;
    return Math.max(-1, ...this.#calls.keys()) + 1;
  }
}

const callOf = ({ id, name, arguments: json, whole }: Told): ToolCall => ({
  ...(id !== undefined && { id }),
  type: "function",
  function: { name, arguments: json },
  ...(!whole && { unfinished: true }),
});
