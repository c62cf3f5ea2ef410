/** Measures a model on a device: what `webgguf bench` prints, in any runtime. */
import { platform } from "#platform";
import { WebggufError } from "../base/errors.ts";
import { callback, checkOptions, flag, listOf, MOST, type Rules, whole } from "../base/options.ts";
import type { ModelFile } from "../file/types.ts";
import { gpuInstruments } from "../gpu/instruments.ts";
import { buildGraph } from "../models/index.ts";
import type { Device } from "../session/backends.ts";
import { loadOn, openDevice } from "../session/open.ts";
import { loadRules } from "../session/options.ts";
import { arrived, closeFile, openFile } from "../session/source.ts";
import type { ModelSource } from "../session/types.ts";
import { BenchRun, type PlannedTest } from "./bench-run.ts";
import type { BenchmarkOptions, BenchmarkReport, GenerateTest, PromptTest } from "./bench-types.ts";

const lengths = listOf(whole(0, MOST));
const rules: Rules<BenchmarkOptions> = {
  ...loadRules,
  promptTokens: lengths,
  generateTokens: lengths,
  depths: lengths,
  repetitions: whole(),
  profile: flag,
  onTest: callback,
};

/**
 * Runs each length of prompt and of answer at each depth of the cache. `device` "auto" takes an
 * adapter if there is one, whatever its speed. The context is as long as the longest test unless
 * `contextLength` says more. Errors as for `loadModel`, and `input/invalid` for tests that cannot be run.
 */
export async function benchmark(
  source: ModelSource,
  options: BenchmarkOptions = {},
): Promise<BenchmarkReport> {
  checkOptions(options, rules);
  const plan = decideTests(options);
  const file = await openFile(source, { signal: options.signal, onNotice: options.onNotice });
  try {
    // Loading is measured, not the network.
    await arrived(file);
    const device = await openDevice(options, gpuInstruments);
    try {
      return await measure(device, file, plan, options);
    } finally {
      device.dispose();
    }
  } finally {
    await closeFile(file);
  }
}

async function measure(
  device: Device,
  file: ModelFile,
  plan: PlannedTests,
  options: BenchmarkOptions,
): Promise<BenchmarkReport> {
  const copyBytesPerSecond = (await device.instruments?.copyBandwidth()) ?? null;
  const contextLength = Math.max(options.contextLength ?? 0, plan.longest);
  const started = performance.now();
  let compiled: number | undefined;
  const graph = buildGraph(file, { contextLength });
  const opened = await loadOn(device, graph, file, {
    ...options,
    contextLength,
    onProgress(progress) {
      if (progress.stage === "compile") compiled = performance.now();
      options.onProgress?.(progress);
    },
  });
  const seconds = (performance.now() - started) / 1000;
  try {
    const { executor } = opened;
    const run = new BenchRun(executor, graph, device.instruments, options);
    const firstToken = await run.firstToken(plan.prompts[0] ?? 1, seconds);
    const tests: (PromptTest | GenerateTest)[] = [];
    const times = await run.times(plan.tests);
    for (const [i, test] of plan.tests.entries())
      tests.push(
        test.kind === "prompt"
          ? run.prompt(test, times[i])
          : await run.generate(test, times[i], copyBytesPerSecond),
      );
    const owners = executor.instruments?.memory() ?? executor.memory;
    return {
      schema: "webgguf-bench/1",
      date: new Date().toISOString(),
      runtime: await platform.facts(),
      device: { ...opened.device, capabilities: device.instruments?.capabilities ?? null },
      model: await describeModel(file),
      settings: {
        contextLength,
        cacheTypeK: options.cacheTypeK ?? "f16",
        cacheTypeV: options.cacheTypeV ?? "f16",
        chunk: executor.chunk,
        stepsInFlight: executor.stepsInFlight,
        int8: options.int8 ?? "off",
        noFuse: options.noFuse ?? [],
        repetitions: run.repetitions,
      },
      load: {
        seconds,
        compileSeconds: compiled === undefined ? null : (compiled - started) / 1000,
        pipelines: executor.instruments?.plan?.pipelines ?? null,
      },
      firstToken,
      memory: { owners, total: Object.values(owners).reduce((sum, one) => sum + one, 0) },
      copyBytesPerSecond,
      tests,
    };
  } finally {
    await opened.dispose();
  }
}

interface PlannedTests {
  readonly tests: readonly PlannedTest[];
  readonly prompts: readonly number[];
  /** Rows that the longest test needs, the token it ends with included. */
  readonly longest: number;
}

/** All tests in llama-bench's order (prompts before answers, at one depth after the other). */
function decideTests(options: BenchmarkOptions): PlannedTests {
  const { promptTokens = [512], generateTokens = [128], depths = [0] } = options;
  const prompts = promptTokens.filter((n) => n > 0);
  const answers = generateTokens.filter((n) => n > 0);
  const tests = depths.flatMap((depth) => {
    const at = depth > 0 ? ` @ d${depth}` : "";
    return [
      ...prompts.map((n): PlannedTest => ({ ...name("pp", n, at), kind: "prompt", depth })),
      ...answers.map((n): PlannedTest => ({ ...name("tg", n, at), kind: "generate", depth })),
    ];
  });
  if (tests.length === 0)
    throw new WebggufError(
      "input/invalid",
      "Cannot run the benchmark: there is nothing to measure; give promptTokens or generateTokens",
    );
  return { tests, prompts, longest: Math.max(...tests.map((one) => one.tokens + one.depth)) + 1 };
}

const name = (short: string, tokens: number, at: string) => ({
  name: `${short}${tokens}${at}`,
  tokens,
});

/** Files up to this size are digested whole. */
const SMALL_FILE = 64 << 20;

async function describeModel(file: ModelFile): Promise<BenchmarkReport["model"]> {
  const [first] = file.sources;
  const bytes = file.sources.reduce((sum, one) => sum + one.size, 0);
  const whole = file.sources.length === 1 && bytes <= SMALL_FILE;
  const head = await first.read(0, whole ? first.size : file.dataOffsets[0]);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", Uint8Array.from(head)));
  const types: Record<string, number> = {};
  let parameters = 0;
  for (const { type, elements } of file.tensors.values()) {
    types[type.name] = (types[type.name] ?? 0) + 1;
    parameters += elements;
  }
  return {
    file: file.name.split(/[\\/]/).at(-1)!,
    bytes,
    sha256: Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join(""),
    digestOf: whole ? "file" : "header",
    architecture: file.metadata.string("general.architecture"),
    name: file.metadata.string("general.name", ""),
    parameters,
    types,
  };
}
