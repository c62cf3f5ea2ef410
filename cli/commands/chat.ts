/** `webgguf chat`: a conversation through the model's own chat template. */
import { readFile, writeFile } from "node:fs/promises";
import {
  type ChatMessage,
  type GenerateOptions,
  type Model,
  type Session,
  WebggufError,
} from "../../mod.ts";
import { namedTemplate } from "../chat-templates.ts";
import type { Command } from "../command.ts";
import { firstThatFits, from } from "../conversation.ts";
import { usage, type Values } from "../flags.ts";
import { described } from "../hints.ts";
import { type Lines, openLines } from "../lines.ts";
import { Interrupted, withModel } from "../model.ts";
import {
  DEVICE_FLAGS,
  SAMPLING_FLAGS,
  SPECULATION_FLAGS,
  samplingOptions,
} from "../model-flags.ts";
import { GENERATION_FLAGS, generationOptions, optionalPrompt, statistics } from "../prompt.ts";
import {
  dim,
  endLine,
  modelText,
  note,
  print,
  readText,
  stdinIsTerminal,
  stdoutIsTerminal,
} from "../terminal.ts";
import { shown } from "./complete.ts";

const HELP =
  "/clear forgets the conversation, /regen answers again, /system TEXT starts over with that system\n" +
  "message, /save FILE and /load FILE keep it, /exit leaves. Ctrl-C stops an answer.";

export const chat: Command = {
  name: "chat",
  summary: "Talk with a model through its chat template",
  examples: [
    "webgguf chat -m model.gguf",
    'webgguf chat -m model.gguf -sys "Answer in one sentence." --temp 0.7',
    'webgguf chat -m model.gguf -p "Tell me a story." -st',
    "echo Hello | webgguf chat -m model.gguf --simple-io",
  ],
  flags: [
    { names: ["-sys", "--system-prompt"], value: "TEXT", help: "the system message" },
    { names: ["-st", "--single-turn"], help: "one answer, then leave" },
    {
      names: ["-mli", "--multiline-input"],
      help: "lines go on until one ends in \\ (else \\ makes one go on)",
    },
    { names: ["--simple-io"], help: "no line editing, no prompts, no colours: for pipes" },
    {
      names: ["--chat-template"],
      value: "JINJA",
      help: "a template instead of the model's, or llama.cpp's name of one (chatml, llama3, gemma …)",
    },
    { names: ["--chat-template-file"], value: "FILE", help: "the same from a file" },
    {
      names: ["--chat-template-kwargs"],
      value: "JSON",
      help: 'variables for it: {"enable_thinking": false}',
    },
    { names: ["--jinja"], help: "what chat always does" },
    {
      names: ["--reasoning-format"],
      value: "FORMAT",
      help: "auto or deepseek: thoughts apart, dimmed; none: as they come",
    },
    {
      names: ["--context-shift"],
      help: "leave the oldest turns out of the prompt when the context is full (the default)",
    },
    { names: ["--no-context-shift"], help: "say that it is full instead" },
    { names: ["-cnv", "--conversation"], help: "what chat always does" },
    { names: ["-no-cnv", "--no-conversation"], help: "see webgguf complete" },
    ...GENERATION_FLAGS,
    ...SAMPLING_FLAGS,
    ...DEVICE_FLAGS,
    ...SPECULATION_FLAGS,
  ],
  async run(values) {
    if (values.switch("no-conversation"))
      throw usage("chat is a conversation; for plain text use webgguf complete");
    const first = await optionalPrompt(values);
    const options: GenerateOptions = {
      ...samplingOptions(values),
      ...generationOptions(values),
      template: await templateOptions(values),
      reasoning: values.choice("reasoning-format", ["auto", "deepseek", "none"]) !== "none",
    };
    return withModel(values, {}, (model) => new Chat(model, options, values).run(first));
  },
};

async function templateOptions(values: Values): Promise<GenerateOptions["template"]> {
  const file = values.text("chat-template-file");
  const given = file === undefined ? values.text("chat-template") : await readText(file);
  const template = given && namedTemplate(given);
  const kwargs = values.text("chat-template-kwargs");
  return {
    ...(template && { template }),
    ...(kwargs !== undefined && { kwargs: readObject(kwargs) }),
  };
}

function readObject(json: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    // Said below.
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw usage(`--chat-template-kwargs wants a JSON object, not ${json}`);
  return value as Record<string, unknown>;
}

class Chat {
  readonly #model: Model;
  readonly #session: Session;
  readonly #options: GenerateOptions;
  readonly #values: Values;
  readonly #terminal: boolean;
  readonly #lines: Lines;
  #messages: ChatMessage[] = [];
  /** The first message of the prompt, besides the system message. */
  #start = 0;
  #failed = false;
  #answering: AbortController | undefined;
  #interrupted = false;

  constructor(model: Model, options: GenerateOptions, values: Values) {
    this.#model = model;
    this.#session = model.session();
    this.#options = options;
    this.#values = values;
    this.#terminal = stdinIsTerminal() && stdoutIsTerminal() && !values.switch("simple-io");
    this.#lines = openLines(this.#terminal, () => this.#interrupt());
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
          if (this.#messages.at(-1)?.role === "user") this.#messages.pop();
          this.#messages.push({ role: "user", content: input });
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
    this.#messages = system === undefined ? [] : [{ role: "system", content: system }];
    this.#start = 0;
  }

  #system(): string | undefined {
    const [first] = this.#messages;
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
      case "regen":
        if (this.#messages.at(-1)?.role === "assistant") this.#messages.pop();
        if (this.#messages.at(-1)?.role === "user") await this.#answer();
        else note("There is nothing to answer yet.");
        break;
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
      if (name === "save") await writeFile(path, JSON.stringify(this.#messages, null, 2));
      else {
        this.#messages = readMessages(JSON.parse(await readFile(path, "utf8")));
        this.#start = 0;
      }
      note(
        `${this.#messages.length} messages ${name === "save" ? "saved to" : "loaded from"} ${path}.`,
      );
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
    this.#shift(options);
    const answer = this.#session.generate(from(this.#messages, this.#start), options);
    let printed = false;
    try {
      for await (const piece of answer) {
        const text = modelText(special ? shown(piece, this.#model) : piece.text);
        printed ||= text !== "";
        await print(piece.channel === "reasoning" && !quiet ? dim(text) : text);
      }
    } finally {
      if (printed) await print("\n");
      // Also what an interruption left of it.
      const { message } = (await answer.return()).value;
      if (message.content || message.reasoning_content || message.tool_calls)
        this.#messages.push(message);
    }
    const stats = this.#session.stats();
    if (stats.finishReason === "context")
      note(`The context of ${this.#model.contextLength} tokens is full: the answer ends here.`);
    if (!this.#values.switch("no-perf") && !quiet) note(dim(statistics(this.#model, stats)));
  }

  /** Leaves the oldest turns out of the prompt where the context does not hold them, and says so. */
  #shift(options: GenerateOptions): void {
    if (this.#values.switch("no-context-shift")) return;
    const { contextLength } = this.#model;
    const most = options.maxTokens ?? -1;
    const room = most < 0 ? contextLength >> 2 : most;
    const start = firstThatFits(this.#model, this.#messages, this.#start, options, room);
    if (start === this.#start) return;
    this.#start = start;
    const { length } = from(this.#messages, start);
    note(
      `The context of ${contextLength} tokens is full: ${this.#messages.length - length} earlier messages are left out (--no-context-shift does not).`,
    );
  }
}

function readMessages(value: unknown): ChatMessage[] {
  const good =
    Array.isArray(value) &&
    value.every((one) => typeof one?.role === "string" && typeof one?.content === "string");
  if (!good) throw usage("the file is not a list of messages with role and content");
  return value;
}
