/** Random values for the public API: some right, most wrong in one place, some of no sense at all. */
import { getEventListeners } from "node:events";
import {
  createTokenizer,
  devices,
  loadModel,
  memoryNeeded,
  openSource,
  readGguf,
} from "../../mod.ts";
import { WebggufError } from "../../src/base/errors.ts";
import { generateRules, loadRules } from "../../src/session/options.ts";
import type { Model } from "../../src/session/types.ts";
import { benchmark, explain, perplexity, tuneDevice } from "../../src/tools/mod.ts";
import { loadModelInWorker } from "../../src/worker/mod.ts";
import type { Port } from "../../src/worker/protocol.ts";
import { counting } from "./orders.ts";

type Below = (limit: number) => number;

const self: unknown[] = [];
self.push(self, { self });

const NAMES = [
  ...Object.keys(generateRules),
  ...Object.keys(loadRules),
  ..."role content tool_calls function name arguments type parameters template kwargs rows length".split(
    " ",
  ),
];

const ATOMS: readonly unknown[] = [
  ...[undefined, null, true, false, 0, 1, -1, 2, 3, 0.5, -0, 7, 64, 255, 2 ** 31, 2 ** 53, 1e300],
  ...[Number.NaN, Infinity, -Infinity, 10n, Symbol("x"), "", "x", "User:", "cpu", "ngram", "f16"],
  ...[
    "user",
    "assistant",
    "system",
    "tool",
    "developer",
    "\ud800",
    "\u0000",
    "{{ x",
    "{% if",
    "http://",
  ],
  ...[
    "http://[::bad",
    "file:///%ff",
    "no/such/file.gguf",
    "data:,x",
    "{",
    '{"a":1}',
    "x".repeat(5000),
  ],
  ...[
    () => 1,
    async () => 1,
    new Date(),
    new Date(Number.NaN),
    /x/,
    new Map([[1, 2]]),
    new Set([1]),
  ],
  ...[
    new Uint8Array(4),
    new Float32Array(4),
    new BigInt64Array(2),
    new ArrayBuffer(8),
    new Blob(["x"]),
  ],
  ...[
    self,
    Object.create(null),
    new Error("x"),
    Promise.resolve(1),
    new WeakMap(),
    AbortSignal.abort("stop"),
  ],
  ...[
    { length: 3 },
    { length: -1 },
    { length: 2 ** 40 },
    { length: "2" },
    new URL("http://x.invalid/"),
  ],
];

const pick = <T>(below: Below, from: readonly T[]): T => from[below(from.length)];

/** Any value, nested up to `depth`. */
export function anything(below: Below, depth = 3): unknown {
  const kind = below(6);
  if (depth === 0 || kind < 3) return pick(below, ATOMS);
  const count = below(4);
  if (kind === 3) return Array.from({ length: count }, () => anything(below, depth - 1));
  return Object.fromEntries(
    Array.from({ length: count }, () => [pick(below, NAMES), anything(below, depth - 1)]),
  );
}

/** What a caller means, with as a rule one part of it replaced by anything. */
function damaged(below: Below, right: unknown): unknown {
  if (below(5) > 1) return right;
  if (!/^\[object (Object|Array)/.test(Object.prototype.toString.call(right)) || below(4) === 0)
    return anything(below);
  const copy = structuredClone(right) as Record<string, unknown>;
  const keys = [...Object.keys(copy), pick(below, NAMES)];
  const key = pick(below, keys);
  if (Array.isArray(copy) && key === "length") return anything(below);
  copy[key] = damaged(below, copy[key]);
  return copy;
}

const CALL = { id: "1", type: "function", function: { name: "add", arguments: '{"a":1}' } };
const TALK = [
  { role: "system", content: "Be brief." },
  { role: "user", content: [{ type: "text", text: "What is 7 + 5?" }] },
  { role: "assistant", content: null, tool_calls: [CALL] },
  { role: "tool", tool_call_id: "1", content: "12" },
];
const TOOLS = [
  {
    type: "function",
    function: { name: "add", description: "Adds", parameters: { type: "object" } },
  },
];
const GENERATE = {
  maxTokens: 1,
  temperature: 0.7,
  topK: 5,
  stop: ["x"],
  seed: 1,
  logprobs: 2,
  samplers: ["top_k", "temperature"],
  logitBias: { 3: 1 },
  dryMultiplier: 1,
  tools: TOOLS,
  template: { addGenerationPrompt: true, kwargs: { enable_thinking: true } },
};
const LOAD = {
  device: "cpu",
  contextLength: 64,
  cacheTypeK: "f16",
  maxSequences: 1,
  chunk: 8,
  speculation: { draftMax: 2 },
  tuning: [{ adapter: "x", tile: 32 }],
};

const BENCHMARK = {
  ...{ device: "cpu", contextLength: 16, promptTokens: [2], generateTokens: [1], depths: [0] },
  ...{ repetitions: 1, profile: false },
};

/** Numbers that only make a benchmark long, made small. */
function short(value: unknown): unknown {
  const least = (one: unknown): unknown => (typeof one === "number" && one > 3 ? 3 : one);
  return Array.isArray(value) ? value.map(least) : least(value);
}

const isPlain = (value: unknown): boolean =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** One call of the API with such values; what it settles to does not matter. */
function randomCall(
  below: Below,
  model: Model,
  bytes: Uint8Array,
): { what: string; run: () => unknown } {
  const of = (right: unknown): never => damaged(below, right) as never;
  // On the CPU path alone: looking for adapters takes seconds.
  const ofLoad = (right: object = LOAD): never => {
    const options = of(right) as unknown;
    const { device = "auto" } = Object(options ?? {}) as { device?: unknown };
    return (
      typeof device === "string" && isPlain(options ?? {})
        ? { ...Object(options), device: "cpu" }
        : options
    ) as never;
  };
  const prompt = pick(below, ["Once", [3, 4], TALK, new Int32Array([3]), [[3], [4]]]);
  const calls: Record<string, () => unknown> = {
    generate: async () => {
      const session = model.session();
      try {
        const options = of(GENERATE) as object | null;
        // An answer without a bound is right, but long.
        const bounded = isPlain(options) && below(8) > 0 ? { ...options, maxTokens: 1 } : options;
        await session.generate(of(prompt), bounded as never);
      } finally {
        await session.dispose();
      }
    },
    render: () => model.render(of(TALK), of({ tools: TOOLS, template: GENERATE.template })),
    logits: async () => {
      const session = model.session();
      try {
        await session.logits(of([3, 4]), of({ signal: undefined }));
      } finally {
        await session.dispose();
      }
    },
    embed: () => model.embed(of(["x"]), of({})),
    encode: () => model.tokenizer.encode(of("Once"), of({ parseSpecial: true })),
    decode: () => model.tokenizer.decode(of([3, 4]), of({ removeSpecial: true })),
    token: () => [model.tokenizer.token(of(3)), model.tokenizer.bytes(of(3), of(true))],
    createTokenizer: () => createTokenizer(of(5)),
    load: async () => (await loadModel(of(bytes), ofLoad())).dispose(),
    loadInWorker: () => loadModelInWorker(of(5), of(bytes), ofLoad()),
    openSource: async () => (await openSource(of("data:,x"), of(undefined))).close(),
    readGguf: () => readGguf(of([]), of({ headerOnly: true })),
    explain: () => explain(below(20) ? of(5) : (model.file as never), ofLoad()),
    benchmark: () => {
      const options = ofLoad(BENCHMARK) as unknown;
      if (!isPlain(options)) return benchmark(of(bytes), options as never);
      const bounded: Record<string, unknown> = { ...(options as object) };
      for (const key of ["promptTokens", "generateTokens", "depths", "repetitions"] as const)
        bounded[key] = short(bounded[key] ?? BENCHMARK[key]);
      return benchmark(of(bytes), bounded as never);
    },
    // Kernels are tuned for seconds.
    tuneDevice: () => tuneDevice(ofLoad({ device: "cpu", type: "Q4_K" })),
    // So does looking for adapters.
    devices: () => {
      const name = anything(below);
      return devices((name === undefined || typeof name === "string" ? 5 : name) as never);
    },
    memoryNeeded: () => memoryNeeded(below(2) ? of(5) : (model.file as never), ofLoad()),
    perplexity: () => {
      // Thousands of chunks are right, but long.
      const text: unknown = of("a b c a b c");
      const short = (typeof text === "string" ? text.slice(0, 50) : text) as never;
      return perplexity(below(2) ? model : of(5), short, of({ context: 4 }));
    },
  };
  const what = pick(below, Object.keys(calls));
  return { what, run: calls[what] };
}

/**
 * Makes `count` calls, half of them over a worker; tells of those that do not settle within 5 s, or with an
 * error that is none of ours, and of what is left at the end.
 */
export function fuzzValues(
  below: Below,
  count: number,
  seconds: number,
  bytes: Uint8Array<ArrayBuffer>,
  worker: Port,
): Promise<{ done: number; strange: string[]; refused: number }> {
  return counting(async (open) => {
    const options = { device: "cpu", contextLength: 256 };
    const models = [
      await loadModel(bytes, options),
      await loadModelInWorker(worker, bytes, options),
    ];
    const strange: string[] = [];
    const end = performance.now() + 1000 * seconds;
    let refused = 0;
    let done = 0;
    for (; done < count && performance.now() < end && strange.length < 10; done++) {
      const where = below(2);
      const { what, run } = randomCall(below, models[where], bytes);
      let timer: ReturnType<typeof setTimeout> | undefined;
      try {
        const late = new Promise<never>((_, reject) => {
          timer = setTimeout(() => reject(new Error("nothing for 5 s")), 5000);
        });
        await Promise.race([(async () => run())(), late]);
      } catch (error) {
        if (error instanceof WebggufError) refused++;
        else if (error !== "stop")
          strange.push(
            `${done} ${what}${where ? " in the worker" : ""}: ${error instanceof Error ? error.stack : String(error)}`,
          );
      } finally {
        clearTimeout(timer);
      }
    }
    for (const model of models) await model.dispose();
    const listeners = getEventListeners(worker as unknown as EventTarget, "message").length;
    if (open.executors + open.devices + listeners > 0)
      strange.push(
        `left: ${open.executors} executors, ${open.devices} devices, ${listeners} listeners`,
      );
    return { done, strange, refused };
  });
}
