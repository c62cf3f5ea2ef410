/** Measures a model on a device: what `webgguf bench` prints, in any runtime. */
import { platform } from "#platform";
import { WebggufError } from "../base/errors.ts";
import type { ModelFile } from "../file/types.ts";
import { readGguf } from "../gguf/read.ts";
import { copyBandwidth } from "../gpu/bandwidth.ts";
import { GpuExecutor } from "../gpu/executor.ts";
import { createGpuExecutor } from "../gpu/open.ts";
import type { Executor } from "../graph/executor.ts";
import type { Graph } from "../graph/ops.ts";
import { buildGraph } from "../models/index.ts";
import type { Gpu } from "../platform/types.ts";
import { decided, type ExecutorOptions, openExecutor } from "../session/open.ts";
import { openSource } from "../session/source.ts";
import type { ModelSource } from "../session/types.ts";
import { BenchRun, type PlannedTest } from "./bench-run.ts";
import type { BenchmarkOptions, BenchmarkReport, GenerateTest, PromptTest } from "./bench-types.ts";

/**
 * Runs each length of prompt and of answer at each depth of the cache. `device` "auto" takes an
 * adapter if there is one, whatever its speed. The context is as long as the longest test unless
 * `contextLength` says more. Errors as for `loadModel`, and `input/invalid` for tests that cannot be run.
 */
export async function benchmark(
  source: ModelSource,
  options: BenchmarkOptions = {},
): Promise<BenchmarkReport> {
  const plan = decideTests(options);
  const bytes = await openSource(source, options.signal);
  let file: ModelFile;
  try {
    file = await readGguf(bytes, {
      signal: options.signal,
      open: (name) => openSource(name, options.signal),
    });
  } catch (error) {
    await bytes.close();
    throw error;
  }
  const gpu = await openGpu(options);
  try {
    const copyBytesPerSecond = gpu ? await copyBandwidth(gpu) : null;
    const contextLength = Math.max(options.contextLength ?? 0, plan.longest);
    const started = performance.now();
    const graph = buildGraph(file, { contextLength });
    const { executor, compileSeconds, dispose } = await load(graph, file, gpu, {
      ...options,
      contextLength,
    });
    const seconds = (performance.now() - started) / 1000;
    try {
      const run = new BenchRun(executor, graph, file, gpu, options);
      const firstToken = await run.firstToken(plan.prompts[0] ?? 1, seconds);
      const tests: (PromptTest | GenerateTest)[] = [];
      const times = await run.times(plan.tests);
      for (const [i, test] of plan.tests.entries())
        tests.push(
          test.kind === "prompt"
            ? run.prompt(test, times[i])
            : await run.generate(test, times[i], copyBytesPerSecond),
        );
      const owners = memoryOf(executor);
      return {
        schema: "webgguf-bench/1",
        date: new Date().toISOString(),
        runtime: await platform.facts(),
        device: {
          kind: executor.kind,
          name: executor.adapter,
          software: gpu?.capabilities.software ?? false,
          capabilities: gpu?.capabilities ?? null,
        },
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
          compileSeconds,
          pipelines: executor instanceof GpuExecutor ? executor.pipelineCount : null,
        },
        firstToken,
        memory: { owners, total: Object.values(owners).reduce((sum, one) => sum + one, 0) },
        copyBytesPerSecond,
        tests,
      };
    } finally {
      await dispose();
    }
  } finally {
    gpu?.dispose();
    await Promise.allSettled(file.sources.map((one) => one.close()));
  }
}

/** All tests in llama-bench's order (prompts before answers, at one depth after the other). */
function decideTests(options: BenchmarkOptions): {
  readonly tests: readonly PlannedTest[];
  readonly prompts: readonly number[];
  readonly longest: number;
} {
  const whole = (name: string, values: readonly number[]): readonly number[] => {
    const wrong = values.find((value) => !Number.isInteger(value) || value < 0);
    if (wrong !== undefined)
      throw new WebggufError("input/invalid", `${name} are whole numbers, not ${wrong}`, {
        actual: wrong,
      });
    return values;
  };
  const prompts = whole("promptTokens", options.promptTokens ?? [512]).filter((n) => n > 0);
  const answers = whole("generateTokens", options.generateTokens ?? [128]).filter((n) => n > 0);
  const tests = whole("depths", options.depths ?? [0]).flatMap((depth) => {
    const at = depth > 0 ? ` @ d${depth}` : "";
    return [
      ...prompts.map((n): PlannedTest => ({ ...name("pp", n, at), kind: "prompt", depth })),
      ...answers.map((n): PlannedTest => ({ ...name("tg", n, at), kind: "generate", depth })),
    ];
  });
  if (tests.length === 0)
    throw new WebggufError(
      "input/invalid",
      "Nothing to measure: give promptTokens or generateTokens",
    );
  return { tests, prompts, longest: Math.max(...tests.map((one) => one.tokens + one.depth)) + 1 };
}

const name = (short: string, tokens: number, at: string) => ({
  name: `${short}${tokens}${at}`,
  tokens,
});

async function openGpu(options: BenchmarkOptions): Promise<Gpu | undefined> {
  const wanted = options.device ?? "auto";
  if (wanted === "cpu") return undefined;
  try {
    return await platform.openGpu(wanted === "auto" || wanted === "gpu" ? {} : { name: wanted });
  } catch (error) {
    const none = error instanceof WebggufError && error.code === "device/no-adapter";
    if (!none || wanted !== "auto") throw error;
    options.onNotice?.(`Computing on the CPU: ${error.message}`);
    return undefined;
  }
}

interface Loaded {
  readonly executor: Executor;
  readonly compileSeconds: number | null;
  dispose(): Promise<void>;
}

async function load(
  graph: Graph,
  file: ModelFile,
  gpu: Gpu | undefined,
  options: ExecutorOptions,
): Promise<Loaded> {
  if (!gpu) {
    const placed = await openExecutor(graph, file, { ...options, device: "cpu" });
    return { executor: placed.executor, compileSeconds: null, dispose: () => placed.dispose() };
  }
  const started = performance.now();
  let compiled = started;
  const executor = await createGpuExecutor(
    graph,
    file,
    gpu,
    decided(options, gpu.capabilities.name),
    {
      signal: options.signal,
      onProgress(stage, loaded, total) {
        if (stage === "compile") compiled = performance.now();
        options.onProgress?.({ stage, loaded, total });
      },
    },
  );
  return {
    executor,
    compileSeconds: (compiled - started) / 1000,
    dispose: () => executor.dispose(),
  };
}

/** Bytes by owner: buffers of one kind ("cache:3", "cache:4" …) together. */
function memoryOf(executor: Executor): Record<string, number> {
  if (!(executor instanceof GpuExecutor)) return { ...executor.memory };
  const owners: Record<string, number> = {};
  for (const [label, bytes] of executor.buffers.byLabel()) {
    const owner = label.split(":", 1)[0];
    owners[owner] = (owners[owner] ?? 0) + bytes;
  }
  return owners;
}

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
