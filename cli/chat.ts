/** The conversation of `webgguf chat`: lines in, answers out, and the commands between. */
import { readFile, writeFile } from "node:fs/promises";
import {
  type ChatMessage,
  type GenerateOptions,
  type Model,
  type Session,
  WebggufError,
} from "../mod.ts";
import { shown } from "./commands/complete.ts";
import { answerTo, firstThatFits, from, type Talk } from "./conversation.ts";
import { usage, type Values } from "./flags.ts";
import { described } from "./hints.ts";
import { type Lines, openLines } from "./lines.ts";
import { Interrupted } from "./model.ts";
import { statistics } from "./prompt.ts";
import {
  dim,
  endLine,
  modelText,
  note,
  print,
  stdinIsTerminal,
  stdoutIsTerminal,
} from "./terminal.ts";

const HELP =
  "/clear forgets the conversation, /regen answers again, /system TEXT starts over with that system\n" +
  "message, /save FILE and /load FILE keep it, /exit leaves. Ctrl-C stops an answer.";

export class Chat {
  readonly #model: Model;
  readonly #session: Session;
  readonly #options: GenerateOptions;
  readonly #values: Values;
  readonly #terminal: boolean;
  readonly #lines: Lines;
  #talk: Talk = { messages: [], start: 0 };
  #failed = false;
  #answering: AbortController | undefined;
  #interrupted = false;

  /**
   * @param open opens what the lines come from
   * @param session of the model, which the conversation is on
   */
  constructor(
    model: Model,
    options: GenerateOptions,
    values: Values,
    open: typeof openLines = openLines,
    session: Session = model.session(),
  ) {
    this.#model = model;
    this.#session = session;
    this.#options = options;
    this.#values = values;
    this.#terminal = stdinIsTerminal() && stdoutIsTerminal() && !values.switch("simple-io");
    this.#lines = open(this.#terminal, () => this.#interrupt());
    this.#clear(values.text("system-prompt"));
  }

  async run(first: string | undefined): Promise<number> {
    try {
      if (this.#terminal) note(`${this.#model.device.name}. /help lists the commands.`);
      let input = first ?? (await this.#read());
      while (input !== undefined && !this.#interrupted) {
        if (input.startsWith("/") && !(await this.#command(input))) break;
        if (!input.startsWith("/") && input.trim() !== "") {
          // A question without an answer gives way to the next one.
          const { messages } = this.#talk;
          if (messages.at(-1)?.role === "user") messages.pop();
          messages.push({ role: "user", content: input });
          await this.#answer();
        }
        if (this.#values.switch("single-turn")) break;
        input = await this.#read();
      }
      return this.#interrupted ? 130 : Number(this.#failed);
    } finally {
      this.#lines.close();
    }
  }

  /** Ctrl-C stops the answer; when there is none, the program. */
  #interrupt(): void {
    if (this.#answering) {
      this.#answering.abort(new Interrupted());
    } else {
      this.#interrupted = true;
      this.#lines.close();
    }
  }

  async #read(): Promise<string | undefined> {
    const multi = this.#values.switch("multiline-input");
    const lines: string[] = [];
    for (;;) {
      const line = await this.#lines.next(lines.length === 0 ? "> " : "  ");
      if (line === undefined) return lines.length === 0 ? undefined : lines.join("\n");
      const marked = line.endsWith("\\");
      lines.push(marked ? line.slice(0, -1) : line);
      const command = lines.length === 1 && line.startsWith("/");
      if (command || marked === multi) return lines.join("\n");
    }
  }

  #clear(system: string | undefined): void {
    const messages = system === undefined ? [] : [{ role: "system", content: system }];
    this.#talk = { messages, start: 0 };
  }

  #system(): string | undefined {
    const [first] = this.#talk.messages;
    return first?.role === "system" && typeof first.content === "string"
      ? first.content
      : undefined;
  }

  /** False to leave. */
  async #command(line: string): Promise<boolean> {
    const [, name, argument] = /^\/(\S*)\s*([\s\S]*)$/.exec(line) as RegExpExecArray;
    switch (name) {
      case "exit":
      case "quit":
        return false;
      case "clear":
        this.#clear(this.#system());
        break;
      case "system":
        this.#clear(argument || undefined);
        break;
      case "regen": {
        const { messages } = this.#talk;
        if (messages.at(-1)?.role === "assistant") messages.pop();
        if (messages.at(-1)?.role === "user") await this.#answer();
        else note("There is nothing to answer yet.");
        break;
      }
      case "save":
      case "load":
        await this.#file(name, argument);
        break;
      default:
        note(HELP);
    }
    return true;
  }

  async #file(name: "save" | "load", path: string): Promise<void> {
    if (path === "") return note(`/${name} wants the name of a file: /${name} chat.json`);
    try {
      if (name === "save") await writeFile(path, JSON.stringify(this.#talk.messages, null, 2));
      else
        this.#talk = { messages: readMessages(JSON.parse(await readFile(path, "utf8"))), start: 0 };
      const done = name === "save" ? "saved to" : "loaded from";
      note(`${this.#talk.messages.length} messages ${done} ${path}.`);
    } catch (error) {
      note(`/${name} ${path}: ${(error as Error).message}`);
    }
  }

  /** Answers the last question. Whatever goes wrong, the conversation stays as it is. */
  async #answer(): Promise<void> {
    const answering = new AbortController();
    this.#answering = answering;
    this.#failed = false;
    try {
      await this.#generate(answering.signal);
    } catch (error) {
      if (!answering.signal.aborted) await this.#fail(error);
    } finally {
      this.#answering = undefined;
    }
  }

  async #fail(error: unknown): Promise<void> {
    this.#failed = true;
    await endLine();
    note(described(error));
    if (!(error instanceof WebggufError) || error.code !== "device/lost") return;
    try {
      await this.#model.restore();
      note("The model was loaded again; /regen answers.");
    } catch (again) {
      note(described(again));
    }
  }

  async #generate(signal: AbortSignal): Promise<void> {
    const options = { ...this.#options, signal };
    const quiet = this.#values.switch("simple-io");
    const special = this.#values.switch("special");
    const full = `The context of ${this.#model.contextLength} tokens is full`;
    this.#shift(options, full);
    const pieces = answerTo(this.#session, this.#talk, options, {
      leaveOut: (going) => this.#shift(going, full),
      onEnd: () => note(`${full}: the answer ends here.`),
    });
    try {
      for await (const piece of pieces) {
        const text = modelText(special ? shown(piece, this.#model) : piece.text);
        await print(piece.channel === "reasoning" && !quiet ? dim(text) : text);
      }
    } finally {
      await endLine();
    }
    if (!this.#values.switch("no-perf") && !quiet)
      note(dim(statistics(this.#model, this.#session.stats())));
  }

  /** Leaves the oldest turns out of the prompt where the context does not hold them, and says so. */
  #shift(options: GenerateOptions, full: string): boolean {
    if (this.#values.switch("no-context-shift")) return false;
    const { messages, start } = this.#talk;
    const most = options.maxTokens ?? -1;
    const room = most < 0 ? this.#model.contextLength >> 2 : most;
    this.#talk.start = firstThatFits(this.#model, this.#talk, options, room);
    if (this.#talk.start === start) return false;
    const left = messages.length - from(messages, this.#talk.start).length;
    note(`${full}: ${left} earlier messages are left out (--no-context-shift does not).`);
    return true;
  }
}

function readMessages(value: unknown): ChatMessage[] {
  const good =
    Array.isArray(value) &&
    value.every((one) => typeof one?.role === "string" && typeof one?.content === "string");
  if (!good) throw usage("the file is not a list of messages with role and content");
  return value;
}
