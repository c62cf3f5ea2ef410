/** What `benchmark` takes and reports; docs/bench.md writes the report's schema down. */

import type { CacheType } from "../graph/settings.ts";
import type { Capabilities } from "../platform/capabilities.ts";
import type { LoadOptions } from "../session/types.ts";

export interface BenchmarkOptions extends LoadOptions {
  /** Lengths of prompts to compute (`-p`). @default [512] */
  promptTokens?: readonly number[];
  /** Numbers of tokens to generate (`-n`). @default [128] */
  generateTokens?: readonly number[];
  /** Rows in the cache before each test (`-d`); they are filled in, not computed. @default [0] */
  depths?: readonly number[];
  /** Runs of each test, after one that does not count (`-r`). @default 5 */
  repetitions?: number;
  /** Time each kernel of a decode step, where the device has time stamps. @default false */
  profile?: boolean;
  /** Before each run of a test. */
  onTest?: (name: string, done: number, total: number) => void;
}

/** Values of all runs in order, and what is said of them. */
export interface Measured {
  readonly values: readonly number[];
  readonly median: number;
  readonly mean: number;
  /** Sample standard deviation; 0 for a single run. */
  readonly deviation: number;
}

interface BenchTest {
  /** As llama-bench names it: "pp512", "tg128 @ d1024". */
  readonly name: string;
  readonly tokens: number;
  readonly depth: number;
  readonly seconds: Measured;
  /** Of the median run. */
  readonly msPerToken: number;
}

export interface PromptTest extends BenchTest {
  readonly kind: "prompt";
  readonly promptTokensPerSecond: Measured;
}

/** Calls to WebGPU for each generated token, counted by wrapping its classes from outside. */
export interface PerToken {
  readonly dispatches: number;
  readonly submits: number;
  readonly createBuffer: number;
  readonly createBindGroup: number;
  readonly writeBuffer: number;
  readonly bytesRead: number;
}

/** Bytes that a token reads in the middle of the test. */
export interface TrafficReport {
  /** Weights and cache by the plan's dispatches. */
  readonly planned: number;
  /** What must be read: matrices once (of experts those in use), keys and values once. */
  readonly weights: number;
  readonly cache: number;
  /** planned / (weights + cache). */
  readonly ratio: number;
  /** planned bytes / median seconds of a token. */
  readonly bytesPerSecond: number;
  /** Of the copy kernel's bytes per second. */
  readonly shareOfCopy: number;
}

/** A dispatch of a decode step with its time on the GPU. */
export interface ProfiledCall {
  readonly step: number;
  /** -1 outside the layers. */
  readonly layer: number;
  readonly op: string;
  readonly kernel: string;
  readonly variant: string;
  readonly bytes: number;
  readonly microseconds: number;
}

export interface GenerateTest extends BenchTest {
  readonly kind: "generate";
  readonly tokensPerSecond: Measured;
  /** Microseconds that the host spends in writes, encoding and submits for a token; null on the CPU path. */
  readonly hostMicrosecondsPerToken: number | null;
  readonly perToken: PerToken | null;
  readonly traffic: TrafficReport | null;
  /** Null unless asked for and possible. */
  readonly profile: readonly ProfiledCall[] | null;
}

export interface BenchmarkReport {
  /** Name and version of this form; a field that changes its meaning raises the version. */
  readonly schema: "webgguf-bench/1";
  /** ISO 8601, UTC. */
  readonly date: string;
  readonly runtime: Readonly<Record<string, string | number | boolean>>;
  readonly device: {
    readonly kind: "gpu" | "cpu";
    readonly name: string;
    readonly software: boolean;
    readonly capabilities: Capabilities | null;
  };
  readonly model: {
    readonly file: string;
    /** Of all parts together. */
    readonly bytes: number;
    /** Hexadecimal, over `digestOf`: the file, or of a large one the header before the tensors. */
    readonly sha256: string;
    readonly digestOf: "file" | "header";
    readonly architecture: string;
    readonly name: string;
    readonly parameters: number;
    /** Tensors by type. */
    readonly types: Readonly<Record<string, number>>;
  };
  readonly settings: {
    readonly contextLength: number;
    readonly cacheTypeK: CacheType;
    readonly cacheTypeV: CacheType;
    readonly chunk: number;
    readonly stepsInFlight: number;
    readonly int8: "auto" | "on" | "off";
    readonly noFuse: readonly string[];
    readonly repetitions: number;
  };
  readonly load: {
    /** From an open file to a model that can compute; shaders compile while weights stream in. */
    readonly seconds: number;
    /** From the same start until the last pipeline was ready; null on the CPU path. */
    readonly compileSeconds: number | null;
    readonly pipelines: number | null;
  };
  readonly firstToken: {
    readonly promptTokens: number;
    /** Loading, a prompt that nothing was computed before, and its first token. */
    readonly coldSeconds: number;
    /** The same prompt and token once more. */
    readonly warmSeconds: number;
  };
  readonly memory: {
    /** Bytes by owner at the end of all tests, on the GPU or of the CPU path. */
    readonly owners: Readonly<Record<string, number>>;
    readonly total: number;
  };
  /** Bytes a second, read and written ones counted, that a copy kernel moves; null on the CPU path. */
  readonly copyBytesPerSecond: number | null;
  readonly tests: readonly (PromptTest | GenerateTest)[];
}
