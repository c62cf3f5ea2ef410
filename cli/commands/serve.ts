/** `webgguf serve`: models over HTTP, as OpenAI's, Anthropic's and llama-server's clients ask for them. */
import process from "node:process";
import { type LoadOptions, loadModel, memoryNeeded, openSource, readGguf } from "../../mod.ts";
import { loadModelInWorker } from "../../src/worker/mod.ts";
import type { Command } from "../command.ts";
import { type Flag, usage, type Values } from "../flags.ts";
import { DEVICE_FLAGS, SPECULATION_FLAGS } from "../model-flags.ts";
import { createApp } from "../server/app.ts";
import type { ServerOptions } from "../server/context.ts";
import { entriesOf, storeOf } from "../server/entries.ts";
import { Host, type ModelEntry } from "../server/host.ts";
import { isDeno, listen } from "../server/listen.ts";
import { loadReporting, note, print, readText } from "../terminal.ts";
import { version } from "../version.ts";

/** llama-server's port. */
const PORT = 9931;

const SERVER_FLAGS: readonly Flag[] = [
  {
    names: ["--host"],
    value: "ADDRESS",
    env: "LLAMA_ARG_HOST",
    help: "where to listen (default 127.0.0.1: this machine alone)",
  },
  {
    names: ["--port"],
    value: "N",
    env: "LLAMA_ARG_PORT",
    help: `(default ${PORT}; 0 = any that is free)`,
  },
  {
    names: ["-np", "--parallel"],
    value: "N",
    env: "LLAMA_ARG_N_PARALLEL",
    help: "answers at once (default 4); others wait in order",
  },
  {
    names: ["-a", "--alias"],
    value: "NAME",
    env: "LLAMA_ARG_ALIAS",
    help: "the model's name for clients; more names behind commas",
  },
  {
    names: ["--models-dir"],
    value: "FOLDER",
    env: "LLAMA_ARG_MODELS_DIR",
    help: "serve every GGUF file in it, loaded on request",
  },
  {
    names: ["--models-preset"],
    value: "FILE",
    env: "LLAMA_ARG_MODELS_PRESET",
    help: "serve the models of an INI file, each with flags of its own",
  },
  {
    names: ["--models-max"],
    value: "N",
    env: "LLAMA_ARG_MODELS_MAX",
    help: "models loaded at once (default 4; 0 = no limit); the one longest unused goes",
  },
  {
    names: ["--models-memory"],
    value: "MIB",
    help: "device memory for all of them (default 0 = no limit)",
  },
  { names: ["--no-models-autoload"], help: "load only by POST /models/load" },
  {
    names: ["--sleep-idle-seconds"],
    value: "N",
    help: "free a model that was not used for so long; it wakes with the next request",
  },
  {
    names: ["--api-key"],
    value: "KEY",
    many: true,
    env: "LLAMA_API_KEY",
    help: "requests must carry it; more keys behind commas",
  },
  { names: ["--api-key-file"], value: "FILE", help: "keys, one a line" },
  {
    names: ["--cors-origins"],
    value: "LIST",
    help: "origins whose pages may call, besides this machine's; * = any",
  },
  {
    names: ["--allowed-hosts"],
    value: "LIST",
    help: "names of this server, besides addresses and localhost; * = any",
  },
  {
    names: ["-to", "--timeout"],
    value: "N",
    env: "LLAMA_ARG_TIMEOUT",
    help: "seconds in which a request must have come (default 600)",
  },
  { names: ["--max-body"], value: "MIB", help: "the largest request (default 32)" },
  { names: ["--max-queue"], value: "N", help: "requests that may wait for a slot (default 128)" },
  { names: ["--sse-ping-interval"], value: "N", help: "seconds between pings (default 15)" },
  { names: ["--slots"], env: "LLAMA_ARG_ENDPOINT_SLOTS", help: "answer /slots (the default)" },
  { names: ["--no-slots"], help: "do not answer /slots" },
  { names: ["--metrics"], env: "LLAMA_ARG_ENDPOINT_METRICS", help: "answer /metrics" },
  { names: ["--log-jsonl"], help: "a line of JSON for each request, without its text" },
];

export const serve: Command = {
  name: "serve",
  summary: "Serve models over HTTP: OpenAI's, Anthropic's and llama-server's endpoints",
  examples: [
    "webgguf serve -m model.gguf",
    "webgguf serve --models-dir ./models --models-max 2",
    'curl localhost:9931/v1/chat/completions -d \'{ "messages": [{ "role": "user", "content": "Hello" }] }\'',
  ],
  flags: [...SERVER_FLAGS, ...DEVICE_FLAGS, ...SPECULATION_FLAGS],
  async run(values) {
    const entries = await entriesOf(values);
    const single = values.hasModel() || values.positionals.length > 0;
    const host = new Host(entries, {
      most: single ? 0 : atLeast(values, "models-max", 0, 4),
      memory: atLeast(values, "models-memory", 0, 0) * 2 ** 20,
      autoload: single || !values.switch("no-models-autoload"),
      sleepAfter: Math.max(0, values.number("sleep-idle-seconds") ?? 0) * 1000,
      queue: atLeast(values, "max-queue", 0, 128),
      load,
      needs,
      ...(!single && { store: storeOf(values) }),
    });
    const app = createApp(host, await optionsOf(values));
    const hostname = values.text("host") ?? "127.0.0.1";
    const timeout = atLeast(values, "timeout", 1, 600);
    const listening = await listen(app, {
      hostname,
      port: atLeast(values, "port", 0, PORT),
      timeout,
    }).catch((error) => {
      throw usage(
        `Cannot listen on ${hostname}:${values.text("port") ?? PORT}: ${described(error)}`,
      );
    });
    const stopped = new Promise<void>((resolve) => {
      for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
    });
    const shown = hostname.includes(":") ? `[${hostname}]` : hostname;
    try {
      if (single) await host.load(entries[0].id, new AbortController().signal);
      await print(`http://${shown}:${listening.port}\n`);
      const names =
        entries.map(({ id }) => id).join(", ") || "no model yet: POST /models fetches one";
      const device = host.loaded()[0]?.model.device.name;
      note(`Serving ${names}${device === undefined ? "" : ` on ${device}`}; Ctrl-C stops`);
      await stopped;
      note("Finishing what runs");
    } finally {
      const closing = listening.close(timeout * 1000);
      await host.close(timeout * 1000);
      await closing;
    }
    return 0;
  },
};

async function optionsOf(values: Values): Promise<ServerOptions> {
  const file = values.text("api-key-file");
  const keys = [
    ...values.texts("api-key").flatMap((keys) => keys.split(",")),
    ...(file === undefined ? [] : (await readText(file)).split(/\r?\n/)),
  ];
  return {
    apiKeys: keys.map((key) => key.trim()).filter((key) => key !== ""),
    allowedHosts: listOf(values, "allowed-hosts").map((name) => name.toLowerCase()),
    corsOrigins: listOf(values, "cors-origins"),
    pingSeconds: Math.max(0, values.number("sse-ping-interval") ?? 15),
    slots: !values.switch("no-slots"),
    metrics: values.switch("metrics"),
    maxBody: atLeast(values, "max-body", 1, 32) * 2 ** 20,
    bodyTimeout: atLeast(values, "timeout", 1, 600) * 1000,
    version,
    log: (line) => {
      if (values.switch("log-jsonl"))
        note(JSON.stringify({ time: new Date().toISOString(), ...line }));
      else if (line.level === "error") note(String(line.error));
    },
  };
}

const listOf = (values: Values, name: string): string[] =>
  (values.text(name) ?? "").split(",").filter((one) => one !== "");

function atLeast(values: Values, name: string, least: number, otherwise: number): number {
  const value = values.integer(name) ?? otherwise;
  if (value < least) throw usage(`--${name} is at least ${least}, not ${value}`);
  return value;
}

const described = (error: unknown): string =>
  (error as { code?: string }).code === "EADDRINUSE" || (error as Error).name === "AddrInUse"
    ? "something listens there already; choose another --port"
    : (error as Error).message;

/** Loads a model; in a worker where the GPU would hold the server's thread. */
function load(source: string, options: LoadOptions): ReturnType<typeof loadModel> {
  const all = { ...loadReporting(), ...options };
  if (!isDeno()) return loadModel(source, all);
  const name = import.meta.url.endsWith(".ts") ? "engine.ts" : "engine.js";
  const worker = new Worker(new URL(`../server/${name}`, import.meta.url), { type: "module" });
  const stop = (): void => worker.terminate();
  return loadModelInWorker(worker, source, all).then(
    (model) => {
      const dispose = model.dispose.bind(model);
      model.dispose = () => dispose().finally(stop);
      return model;
    },
    (error) => {
      stop();
      throw error;
    },
  );
}

/** Bytes of device memory that a model will take. */
async function needs({ source, options, parallel }: ModelEntry): Promise<number> {
  const file = await readGguf(await openSource(source));
  return (await memoryNeeded(file, { ...options, maxSequences: parallel })).total;
}
