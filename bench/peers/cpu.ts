/**
 * npm run bench:peers -- --cpu [--models SHAPE:TYPE,…] [--threads 1] [-p 64] [-n 16] [-r 3] [--engines A,B] [--install]
 *
 * CPU engines on the same file with the same threads, in turns: webgguf in WebAssembly and in plain TypeScript and
 * node-llama-cpp in this process, wllama in headless Chromium. Medians of wall time, CPU time of all threads beside
 * it, and the time from an unread model to its first token (file in the page cache). Ratios are the other's time
 * divided by webgguf's, so that more than 1 is faster than the other.
 */
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { loadModel } from "../../mod.ts";
import { median } from "../../src/base/median.ts";
import { writeModelFile } from "../model-file.ts";
import { openPeerBrowser, type PeerBrowser } from "./browser.ts";
import type { Engine, PeerRun } from "./engine.ts";
import { openNative } from "./native.ts";

export interface CpuSettings {
  readonly models: readonly string[];
  readonly threads: number;
  readonly prompt: number;
  readonly tokens: number;
  readonly repetitions: number;
  readonly context: number;
  readonly engines?: readonly string[];
  readonly json: boolean;
}

/** Milliseconds of CPU time so far, of all threads. */
type CpuClock = () => Promise<number>;

const ownClock: CpuClock = async () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/** webgguf in this process; `plain` as where a policy forbids WebAssembly. */
async function openOwn(
  model: string,
  plain: boolean,
  threads: number,
  context: number,
): Promise<Engine> {
  const { compile } = WebAssembly;
  if (plain) WebAssembly.compile = () => Promise.reject(new Error("not for this engine"));
  const options = { device: "cpu", contextLength: context, threads, onNotice() {} };
  const loaded = await loadModel(model, options).finally(() => {
    WebAssembly.compile = compile;
  });
  const session = loaded.session();
  return {
    name: `webgguf, ${loaded.device.name}`,
    async run(prompt, tokens) {
      session.reset();
      const start = performance.now();
      let [first, last, count] = [0, 0, 0];
      const wanted = { temperature: 0, maxTokens: tokens, ignoreEos: true };
      for await (const { token } of session.generate(prompt, wanted)) {
        if (token === undefined) continue;
        last = performance.now();
        if (++count === 1) first = last;
      }
      return {
        promptTokens: session.stats().promptTokens,
        promptSeconds: (first - start) / 1000,
        tokens: count - 1,
        decodeSeconds: (last - first) / 1000,
      };
    },
    close: () => loaded.dispose(),
  };
}

/** Figures of a turn: wall and CPU milliseconds a token of a prompt, and of an answer. */
interface Turn {
  readonly prefill: readonly [number, number];
  readonly decode: readonly [number, number];
}

/** A prompt with one token, then the same kind with more: the difference is the answer's. */
async function turn(
  engine: Engine,
  clock: CpuClock,
  prompt: (length: number) => string,
  length: number,
  tokens: number,
): Promise<Turn> {
  const timed = async (count: number): Promise<[PeerRun, number]> => {
    const before = await clock();
    const run = await engine.run(prompt(length), count);
    return [run, (await clock()) - before];
  };
  const [one, short] = await timed(1);
  const [all, long] = await timed(1 + tokens);
  const ms = (seconds: number, count: number): number => (1000 * seconds) / count;
  return {
    prefill: [ms(one.promptSeconds, one.promptTokens), short / one.promptTokens],
    decode: [ms(all.decodeSeconds, all.tokens), Math.max(0, long - short) / all.tokens],
  };
}

let prompts = 0;
/** Letters, each a token of random models, with a beginning of their own. */
const prompt = (length: number): string => {
  const from = ++prompts;
  const code = (i: number): number => 97 + ((i * i + i * from + 7 * from) % 26);
  return Array.from({ length }, (_, i) => String.fromCharCode(code(i))).join("");
};

interface Result {
  readonly engine: string;
  readonly firstTokenSeconds: number;
  readonly turns: readonly Turn[];
}

async function compare(model: string, settings: CpuSettings): Promise<Result[]> {
  const { threads, context, repetitions } = settings;
  let browser: PeerBrowser | undefined;
  const all: Record<string, () => Promise<Engine>> = {
    webgguf: () => openOwn(model, false, threads, context),
    "llama-cpp": () => openNative(model, false, threads, context),
    async wllama() {
      browser ??= await openPeerBrowser(model, undefined, []);
      const page = { engine: "wllama", gpu: false, int8: false, threads, context } as const;
      return browser.open(`wllama CPU, ${threads} threads`, page);
    },
    plain: () => openOwn(model, true, threads, context),
  };
  const results: Result[] = [];
  const open: { name: string; engine: Engine; clock: CpuClock; first: number; turns: Turn[] }[] =
    [];
  try {
    for (const name of settings.engines ?? Object.keys(all))
      try {
        const start = performance.now();
        const engine = await all[name]();
        await engine.run(prompt(8), 1);
        const first = (performance.now() - start) / 1000;
        const clock = name === "wllama" && browser ? browser.cpuTime : ownClock;
        open.push({ name, engine, clock, first, turns: [] });
      } catch (error) {
        console.error(`${name}: NOT RUN (${String(error).split("\n", 1)[0]})`);
      }
    for (let round = 0; round < repetitions; round++)
      for (const { name, engine, clock, turns } of open) {
        // Plain TypeScript needs seconds a token: a little of it, once.
        if (name === "plain" && round > 0) continue;
        const [length, tokens] = name === "plain" ? [8, 2] : [settings.prompt, settings.tokens];
        turns.push(await turn(engine, clock, prompt, length, tokens));
      }
    for (const { engine, first, turns } of open)
      results.push({ engine: engine.name, firstTokenSeconds: first, turns });
    return results;
  } finally {
    for (const { engine } of open) await engine.close().catch(() => {});
    await browser?.close();
  }
}

const medianOf = (turns: readonly Turn[], of: "prefill" | "decode", at: 0 | 1): number =>
  median(turns.map((one) => one[of][at]));

function print(name: string, results: readonly Result[], { threads }: CpuSettings): void {
  const [base] = results;
  const load = os.loadavg()[0].toFixed(1);
  console.log(`${name}, ${threads} threads, load ${load}; ms a token, wall (CPU), and × webgguf's`);
  console.table(
    results.map(({ engine, firstTokenSeconds, turns }) => {
      const figure = (of: "prefill" | "decode"): Record<string, string> => {
        const [wall, cpu] = ([0, 1] as const).map((at) => medianOf(turns, of, at));
        const [ownWall, ownCpu] = ([0, 1] as const).map((at) => medianOf(base.turns, of, at));
        return {
          [`${of} ms`]: `${wall.toFixed(1)} (${cpu.toFixed(1)})`,
          [`${of} ×`]: `${(wall / ownWall).toFixed(2)} (${(cpu / ownCpu).toFixed(2)})`,
        };
      };
      const first = firstTokenSeconds.toFixed(2);
      return { engine, ...figure("prefill"), ...figure("decode"), "first token s": first };
    }),
  );
}

export async function compareCpu(settings: CpuSettings): Promise<void> {
  const folder = mkdtempSync(path.join(os.tmpdir(), "webgguf-cpu-"));
  try {
    for (const name of settings.models) {
      const [shape, type] = name.split(":");
      const model = path.join(folder, "model.gguf");
      await writeModelFile(model, { shape, type });
      const results = await compare(model, settings);
      if (settings.json) console.log(JSON.stringify({ model: name, ...settings, results }));
      else print(name, results, settings);
      rmSync(model);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}
