/**
 * An answer as blocks that follow one another: reasoning, text, tool calls. Anthropic's messages and OpenAI's
 * responses are streamed so, each with names of its own.
 */
import type { Answer, Piece } from "../../mod.ts";
import { newId } from "./context.ts";

interface Written {
  readonly id: string;
  /** What of it has come: of a call, its arguments. */
  text: string;
}

export type Block =
  | (Written & { readonly kind: "reasoning" })
  | (Written & { readonly kind: "text" })
  | (Written & { readonly kind: "call"; readonly name: string });

/** What happens to the block `index`. */
export type BlockEvent = { readonly index: number; readonly block: Block } & (
  | { readonly what: "start" }
  | { readonly what: "end" }
  | { readonly what: "delta"; readonly delta: string }
);

/** Reads pieces as blocks. */
export class Blocks {
  readonly all: Block[] = [];
  #open: Block | undefined;
  /** The call that is open, by its number in the answer. */
  #call = -1;

  *take({ channel, text, toolCallPart }: Piece): Generator<BlockEvent> {
    if (toolCallPart) {
      const { index, id, name, arguments: args } = toolCallPart;
      if (index !== this.#call) {
        this.#call = index;
        yield* this.#start({
          kind: "call",
          id: id ?? newId("call_"),
          name: name ?? "",
          text: "",
        });
      }
      if (args !== "") yield this.#delta(args);
      return;
    }
    if (text === "" || channel === "tool") return;
    const kind = channel === "reasoning" ? "reasoning" : "text";
    if (this.#open?.kind !== kind) {
      // White space between a call and what follows is not worth a block.
      if (this.#open?.kind === "call" && text.trim() === "") return;
      yield* this.#start({ kind, id: newId(kind === "text" ? "msg_" : "rs_"), text: "" });
    }
    yield this.#delta(text);
  }

  *end(): Generator<BlockEvent> {
    if (this.#open) yield { what: "end", index: this.all.length - 1, block: this.#open };
    this.#open = undefined;
  }

  *#start(block: Block): Generator<BlockEvent> {
    yield* this.end();
    this.#open = block;
    this.all.push(block);
    yield { what: "start", index: this.all.length - 1, block };
  }

  #delta(delta: string): BlockEvent {
    this.#open!.text += delta;
    return { what: "delta", index: this.all.length - 1, block: this.#open!, delta };
  }
}

/** The blocks of a whole answer. */
export function blocksOf({ message }: Answer): Block[] {
  const blocks: Block[] = [];
  const { reasoning_content: reasoning, content, tool_calls: calls } = message;
  if (reasoning) blocks.push({ kind: "reasoning", id: newId("rs_"), text: reasoning });
  if (content) blocks.push({ kind: "text", id: newId("msg_"), text: content as string });
  for (const { id, function: called } of calls ?? [])
    blocks.push({
      kind: "call",
      id: id ?? newId("call_"),
      name: called.name,
      text:
        typeof called.arguments === "string" ? called.arguments : JSON.stringify(called.arguments),
    });
  return blocks;
}
