/** `webgguf chat`: a conversation through the model's own chat template. */
import { readFile, writeFile } from "node:fs/promises";
import type { ChatMessage, GenerateOptions, Model, Session } from "../../mod.ts";
import { namedTemplate } from "../chat-templates.ts";
import type { Command } from "../command.ts";
import { usage, type Values } from "../flags.ts";
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
  modelText,
  note,
  print,
  readText,
  stdinIsTerminal,
  stdoutIsTerminal,
} from "../terminal.ts";

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
  try {
    return {
      ...(template && { template }),
      ...(kwargs !== undefined && { kwargs: JSON.parse(kwargs) }),
    };
  } catch {
    throw usage(`--chat-template-kwargs wants a JSON object, not ${kwargs}`);
  }
}

class Chat {
  readonly #model: Model;
  readonly #session: Session;
  readonly #options: GenerateOptions;
  readonly #values: Values;
  readonly #terminal: boolean;
  readonly #lines: Lines;
  #messages: ChatMessage[] = [];
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
          this.#messages.push({ role: "user", content: input });
          await this.#answer();
        }
        if (this.#values.switch("single-turn")) break;
        input = await this.#read();
      }
      return this.#interrupted ? 130 : 0;
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
    try {
      if (name === "save") await writeFile(path, JSON.stringify(this.#messages, null, 2));
      else this.#messages = readMessages(JSON.parse(await readFile(path, "utf8")));
    } catch (error) {
      note(`/${name} ${path}: ${(error as Error).message}`);
    }
  }

  async #answer(): Promise<void> {
    const answering = new AbortController();
    this.#answering = answering;
    const options = { ...this.#options, signal: answering.signal };
    const answer = this.#session.generate(this.#messages, options);
    try {
      for await (const piece of answer) {
        const thought = piece.channel === "reasoning" && !this.#values.switch("simple-io");
        const text = modelText(piece.text);
        await print(thought ? dim(text) : text);
      }
    } catch (error) {
      if (!(error instanceof Interrupted)) {
        this.#messages.pop();
        throw error;
      }
    } finally {
      this.#answering = undefined;
      await print("\n");
    }
    // Also what an interruption left of it.
    this.#messages.push((await answer.return()).value.message);
    if (!this.#values.switch("no-perf") && !this.#values.switch("simple-io"))
      note(dim(statistics(this.#model, this.#session.stats())));
  }
}

function readMessages(value: unknown): ChatMessage[] {
  const good =
    Array.isArray(value) &&
    value.every((one) => typeof one?.role === "string" && typeof one?.content === "string");
  if (!good) throw usage("the file is not a list of messages with role and content");
  return value;
}
