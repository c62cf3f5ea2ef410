/** The server's app over the bundled model on the CPU path, called without a socket. */
import { createApp } from "../../cli/server/app.ts";
import type { ServerOptions } from "../../cli/server/context.ts";
import { Host, type HostOptions, type ModelEntry } from "../../cli/server/host.ts";
import { type Answer, loadModel, type Model, type Piece, type Session } from "../../mod.ts";
import { fixture } from "../fixture.ts";

const bytes = await fixture("../../models/webgguf-tale-q8_0.gguf");

export const ID = "tale";

/** The bundled model, loaded for a host. */
export const loadTale: HostOptions["load"] = (_, options) =>
  loadModel(bytes, { ...options, device: "cpu" });

export const entry = (id: string, more: Partial<ModelEntry> = {}): ModelEntry => ({
  id,
  aliases: [],
  source: `${id}.gguf`,
  options: {},
  parallel: 4,
  pinned: false,
  ...more,
});

export const hostOptions: HostOptions = {
  most: 0,
  memory: 0,
  autoload: true,
  sleepAfter: 0,
  queue: 16,
  load: loadTale,
  needs: async () => 0,
};

export const serverOptions: ServerOptions = {
  apiKeys: [],
  allowedHosts: [],
  corsOrigins: [],
  pingSeconds: 0,
  slots: true,
  metrics: true,
  version: "test",
  maxBody: 1 << 20,
  bodyTimeout: 2000,
};

/** What JSON holds, for tests to look into. */
// biome-ignore lint/suspicious/noExplicitAny: answers of every form
export type Json = any;

/** An app under test. */
export interface Tested {
  readonly host: Host;
  request(path: string, init?: RequestInit): Promise<Response>;
  /** Sends JSON and reads JSON. */
  post(path: string, body: unknown, init?: RequestInit): Promise<{ status: number; body: Json }>;
  get(path: string): Promise<{ status: number; body: Json }>;
  /** Sends JSON and reads all events. */
  events(path: string, body: object, init?: RequestInit): Promise<{ event?: string; data: Json }[]>;
  close(): Promise<void>;
}

export function testApp(
  entries: readonly ModelEntry[] = [entry(ID, { aliases: ["other"] })],
  host: Partial<HostOptions> = {},
  server: Partial<ServerOptions> = {},
): Tested {
  const models = new Host(entries, { ...hostOptions, ...host });
  const app = createApp(models, { ...serverOptions, ...server });
  const request = async (path: string, init: RequestInit = {}): Promise<Response> =>
    app.fetch(new Request(`http://localhost${path}`, init));
  const send = (path: string, body: unknown, init: RequestInit = {}): Promise<Response> =>
    request(path, {
      method: "POST",
      body: typeof body === "string" ? body : JSON.stringify(body),
      ...init,
    });
  const read = async (response: Response) => ({
    status: response.status,
    body: await response.json(),
  });
  return {
    host: models,
    request,
    post: async (path, body, init) => read(await send(path, body, init)),
    get: async (path) => read(await request(path)),
    events: async (path, body, init) =>
      eventsOf(await (await send(path, { ...body, stream: true }, init)).text()),
    close: () => models.close(1000),
  };
}

/** The events of a stream; data that is JSON is read. */
export function eventsOf(text: string): { event?: string; data: Json }[] {
  return text
    .split("\n\n")
    .filter((block) => block !== "" && !block.startsWith(":"))
    .map((block) => {
      const lines = block.split("\n");
      const field = (name: string): string | undefined =>
        lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
      const data = field("data") ?? "";
      const event = field("event");
      return {
        ...(event !== undefined && { event }),
        data: data === "[DONE]" ? data : JSON.parse(data),
      };
    });
}

/** A model that says what it is told to: pieces by prompt. */
export function scriptedModel(pieces: Parameters<typeof scripted>[0], real: Model): Model {
  return { ...proxied(real), session: () => scripted(pieces, real) };
}

/** A model whose calls a test can replace. */
export function proxied(real: Model): Model {
  return {
    file: real.file,
    architecture: real.architecture,
    tokenizer: real.tokenizer,
    contextLength: real.contextLength,
    device: real.device,
    memory: real.memory,
    session: () => real.session(),
    render: (messages, options) => real.render(messages, options),
    embed: (texts, options) => real.embed(texts, options),
    restore: (options) => real.restore(options),
    dispose: () => real.dispose(),
    [Symbol.asyncDispose]: () => real.dispose(),
  };
}

function scripted(said: { pieces: readonly Piece[]; answer: Answer }, real: Model): Session {
  const session = real.session();
  return new Proxy(session, {
    get(target, name) {
      if (name !== "generate") {
        const value = Reflect.get(target, name, target);
        return typeof value === "function" ? value.bind(target) : value;
      }
      return () => {
        let at = 0;
        const end = { done: true as const, value: said.answer };
        return {
          next: async () =>
            at < said.pieces.length ? { done: false as const, value: said.pieces[at++] } : end,
          return: async () => end,
          [Symbol.asyncIterator]() {
            return this;
          },
        };
      };
    },
  });
}

/** ChatML with the marks of Hermes' calls, for a model that was trained on neither. */
const CALLING = `{%- for tool in tools or [] -%}<|im_start|>system
{{ tool.function.name }}<|im_end|>
{% endfor -%}
{%- for message in messages -%}<|im_start|>{{ message.role }}
{{ message.content or '' }}
{%- for call in message.tool_calls or [] -%}<tool_call>{{ call.function | tojson }}</tool_call>{%- endfor -%}
<|im_end|>
{% endfor -%}
{%- if add_generation_prompt -%}<|im_start|>assistant
{% endif -%}`;

/** The model with a template that knows tools: the choice of a tool then makes calls. */
export function callingModel(real: Model): Model {
  const told = <T extends { template?: object }>(options: T | undefined): T =>
    ({ ...options, template: { ...options?.template, template: CALLING } }) as T;
  return {
    ...proxied(real),
    render: (messages, options) => real.render(messages, told(options)),
    session: () => {
      const session = real.session();
      const generate = session.generate.bind(session);
      session.generate = (prompt, options) => generate(prompt, told(options));
      return session;
    },
  };
}
