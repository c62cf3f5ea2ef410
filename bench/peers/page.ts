/** One engine in one page; browser.ts drives it. */
import { loadModel, type Model, type Session } from "../../mod.ts";
import counting from "./count.js?raw";
import type { PeerCounts, PeerRun } from "./engine.ts";

/** Where wllama's package is served. */
const WLLAMA = "/bench/peers/node_modules/@wllama/wllama/esm/";

export interface PageSettings {
  readonly engine: "webgguf" | "wllama";
  readonly gpu: boolean;
  /** Activations of signed bytes; only webgguf has the choice. */
  readonly int8: boolean;
  readonly threads: number;
  readonly context: number;
}

declare global {
  var peerOpen: (settings: PageSettings) => Promise<string>;
  var peerRun: (prompt: string, tokens: number) => Promise<PeerRun>;
  var peerCounts: () => Promise<PeerCounts>;
}

const channel = `peers-${Math.random()}`;
const counter = counting.replaceAll("CHANNEL", channel);

/** Workers from blobs count as well: wllama computes in one. */
function countInWorkers(): void {
  globalThis.Blob = new Proxy(globalThis.Blob, {
    construct(target, [parts = [], options]: [BlobPart[]?, BlobPropertyBag?]) {
      const script = /javascript/.test(options?.type ?? "");
      return new target(script ? [counter, ...parts] : parts, options);
    },
  });
}

globalThis.peerCounts = async () => {
  const sums: Record<string, number> = {};
  const ask = new BroadcastChannel(channel);
  ask.addEventListener("message", ({ data }) => {
    if (typeof data !== "object") return;
    for (const [name, count] of Object.entries<number>(data))
      sums[name] = (sums[name] ?? 0) + count;
  });
  ask.postMessage("counts?");
  await new Promise((resolve) => setTimeout(resolve, 300));
  ask.close();
  return sums;
};

globalThis.peerOpen = async (settings) => {
  document.head.append(Object.assign(document.createElement("script"), { textContent: counter }));
  countInWorkers();
  const blob = await (await fetch("/model.gguf")).blob();
  return settings.engine === "webgguf" ? openOwn(blob, settings) : openWllama(blob, settings);
};

/** Times a stream of pieces: the prompt ends with the first. */
class Clock {
  readonly #start = performance.now();
  #first = 0;
  #last = 0;
  #count = 0;
  tick(): void {
    this.#last = performance.now();
    if (++this.#count === 1) this.#first = this.#last;
  }
  run(promptTokens: number): PeerRun {
    return {
      promptTokens,
      promptSeconds: (this.#first - this.#start) / 1000,
      tokens: this.#count - 1,
      decodeSeconds: (this.#last - this.#first) / 1000,
    };
  }
}

async function openOwn(blob: Blob, { gpu, int8, context }: PageSettings): Promise<string> {
  const model: Model = await loadModel(blob, {
    device: gpu ? "gpu" : "cpu",
    contextLength: context,
    int8: int8 ? "on" : "off",
  });
  const session: Session = model.session();
  globalThis.peerRun = async (prompt, tokens) => {
    session.reset();
    const clock = new Clock();
    const options = { temperature: 0, maxTokens: tokens, ignoreEos: true };
    for await (const { token } of session.generate(prompt, options))
      if (token !== undefined) clock.tick();
    return clock.run(session.stats().promptTokens);
  };
  return model.device.name;
}

/** The part of wllama's interface that is used. */
interface Wllama {
  setCompat(compat: null): void;
  loadModel(blobs: Blob[], options: object): Promise<void>;
  createCompletion(options: object): Promise<unknown>;
}

async function openWllama(blob: Blob, settings: PageSettings): Promise<string> {
  const { Wllama } = (await import(/* @vite-ignore */ `${WLLAMA}index.js`)) as {
    Wllama: new (paths: object, options: object) => Wllama;
  };
  const wllama = new Wllama(
    { default: `${location.origin}${WLLAMA}wasm/wllama.wasm` },
    { suppressNativeLog: true },
  );
  // Else it may fetch parts of itself from elsewhere.
  wllama.setCompat(null);
  await wllama.loadModel([blob], {
    n_ctx: settings.context,
    n_gpu_layers: settings.gpu ? 99 : 0,
    n_threads: settings.threads,
    n_parallel: 1,
    n_batch: 512,
    n_ubatch: 512,
    seed: 1,
  });
  globalThis.peerRun = async (prompt, tokens) => {
    const clock = new Clock();
    let promptTokens = 0;
    const onData = (chunk: { timings?: { prompt_n: number } }): void => {
      // The last piece carries the timings and no token.
      if (chunk.timings) promptTokens = chunk.timings.prompt_n;
      else clock.tick();
    };
    await wllama.createCompletion({
      prompt,
      max_tokens: tokens,
      temperature: 0,
      top_k: 1,
      ignore_eos: true,
      cache_prompt: false,
      stream: true,
      onData,
    });
    return clock.run(promptTokens);
  };
  return "wllama";
}
