/** The tests of a benchmark on one loaded model. */

import { WebggufError } from "../base/errors.ts";
import { median } from "../base/median.ts";
import type { Executor } from "../graph/executor.ts";
import type { Graph } from "../graph/graph.ts";
import type { DeviceInstruments } from "../graph/instruments.ts";
import type { StepRequest } from "../graph/requests.ts";
import { GREEDY } from "../graph/requests.ts";
import { decode } from "../session/step.ts";
import type {
  BenchmarkOptions,
  BenchmarkReport,
  GenerateTest,
  Measured,
  PerToken,
  ProfiledCall,
  PromptTest,
  TrafficReport,
} from "./bench-types.ts";

const SEQUENCE = 0;
/** Decode steps that a profile is the mean of. */
const PROFILED_STEPS = 16;

/** A test, which is run several times. */
export interface PlannedTest {
  readonly name: string;
  readonly kind: "prompt" | "generate";
  readonly tokens: number;
  readonly depth: number;
}

export class BenchRun {
  readonly repetitions: number;
  readonly #executor: Executor;
  readonly #graph: Graph;
  readonly #device: DeviceInstruments | undefined;
  readonly #options: BenchmarkOptions;

  constructor(
    executor: Executor,
    graph: Graph,
    device: DeviceInstruments | undefined,
    options: BenchmarkOptions,
  ) {
    this.#executor = executor;
    this.#graph = graph;
    this.#device = device;
    this.#options = options;
    this.repetitions = Math.max(1, options.repetitions ?? 5);
  }

  async firstToken(
    promptTokens: number,
    loadSeconds: number,
  ): Promise<BenchmarkReport["firstToken"]> {
    const cold = await this.#promptSeconds(promptTokens, 0);
    const warm = await this.#promptSeconds(promptTokens, 0);
    return { promptTokens, coldSeconds: loadSeconds + cold, warmSeconds: warm };
  }

  /**
   * Seconds of every run of every test. The first run of each does not count (first use of a shape). The tests take
   * turns, so that other work on the machine slows all of them alike and their ratios hold.
   */
  async times(tests: readonly PlannedTest[]): Promise<number[][]> {
    if (this.#graph.outputKind !== "logits" && tests.some((test) => test.kind === "generate"))
      throw new WebggufError(
        "input/invalid",
        "Cannot measure generated tokens: this model makes embeddings; measure prompts alone",
      );
    const seconds: number[][] = tests.map(() => []);
    const rounds = this.repetitions + 1;
    for (let round = 0; round < rounds; round++)
      for (const [i, test] of tests.entries()) {
        this.#options.onTest?.(test.name, round * tests.length + i, rounds * tests.length);
        const one = await this.#seconds(test);
        if (round > 0) seconds[i].push(one);
      }
    return seconds;
  }

  async #seconds({ kind, tokens, depth }: PlannedTest): Promise<number> {
    if (kind === "prompt") return this.#promptSeconds(tokens, depth);
    await this.#toDepth(depth);
    return this.#answerSeconds(tokens);
  }

  prompt({ name, tokens, depth }: PlannedTest, seconds: readonly number[]): PromptTest {
    return {
      kind: "prompt",
      name,
      tokens,
      depth,
      seconds: measured(seconds),
      msPerToken: (1000 * median(seconds)) / tokens,
      promptTokensPerSecond: measured(seconds.map((one) => tokens / one)),
    };
  }

  async generate(
    { name, tokens, depth }: PlannedTest,
    seconds: readonly number[],
    copyBytesPerSecond: number | null,
  ): Promise<GenerateTest> {
    const perSecond = tokens / median(seconds);
    return {
      kind: "generate",
      name,
      tokens,
      depth,
      seconds: measured(seconds),
      msPerToken: 1000 / perSecond,
      tokensPerSecond: measured(seconds.map((one) => tokens / one)),
      hostMicrosecondsPerToken: await this.#hostMicroseconds(tokens, depth),
      perToken: await this.#perToken(tokens, depth),
      traffic: this.#traffic(depth + Math.ceil(tokens / 2), perSecond, copyBytesPerSecond),
      profile: await this.#profile(depth),
    };
  }

  async #toDepth(depth: number): Promise<void> {
    this.#options.signal?.throwIfAborted();
    this.#executor.rewind(SEQUENCE, 0);
    if (depth > 0) await this.#executor.instruments?.fill(SEQUENCE, depth);
  }

  /** Seconds of a prompt up to its first token, or up to its output where the model samples no tokens. */
  async #promptSeconds(count: number, depth: number): Promise<number> {
    await this.#toDepth(depth);
    const { vocabulary, outputKind } = this.#graph;
    // The work does not depend on the ids; different ones read different rows of the table.
    const tokens = Array.from({ length: count }, (_, i) => (i * 7919 + 11) % vocabulary);
    const request: StepRequest =
      outputKind === "logits"
        ? { sequence: SEQUENCE, input: tokens, outputs: "last", sample: GREEDY }
        : { sequence: SEQUENCE, input: tokens, outputs: "all", read: true };
    const start = performance.now();
    await this.#executor.step([request], this.#options.signal);
    return (performance.now() - start) / 1000;
  }

  /** Seconds of the engine's own loop for `count` tokens. */
  async #answerSeconds(count: number): Promise<number> {
    const signal = this.#options.signal ?? new AbortController().signal;
    const start = performance.now();
    for await (const _ of decode({
      executor: this.#executor,
      sequence: SEQUENCE,
      feed: [11 % this.#graph.vocabulary],
      limit: count,
      sampling: { on: "device", settings: GREEDY },
      signal,
    })) {
      // Only the time matters.
    }
    return (performance.now() - start) / 1000;
  }

  /** From the median submit, in a run of its own: the clock must not add to the times reported. */
  async #hostMicroseconds(tokens: number, depth: number): Promise<number | null> {
    if (!this.#device) return null;
    await this.#toDepth(depth);
    const spans = await this.#device.timeSubmits(() => this.#answerSeconds(tokens));
    return (1000 * median(spans) * spans.length) / tokens;
  }

  /** Counted in a run of its own for the same reason. */
  async #perToken(tokens: number, depth: number): Promise<PerToken | null> {
    if (!this.#device) return null;
    await this.#toDepth(depth);
    const counts = await this.#device.countCalls(() => this.#answerSeconds(tokens));
    return {
      dispatches: counts.dispatches / tokens,
      submits: counts.submits / tokens,
      createBuffer: counts.createBuffer / tokens,
      createBindGroup: counts.createBindGroup / tokens,
      writeBuffer: counts.writeBuffer / tokens,
      bytesRead: counts.bytesRead / tokens,
    };
  }

  #traffic(
    positions: number,
    tokensPerSecond: number,
    copyBytesPerSecond: number | null,
  ): TrafficReport | null {
    const traffic = this.#executor.instruments?.plan?.traffic(positions);
    if (!traffic || copyBytesPerSecond === null) return null;
    const bytesPerSecond = traffic.planned * tokensPerSecond;
    return {
      ...traffic,
      ratio: traffic.planned / (traffic.weights + traffic.cache),
      bytesPerSecond,
      shareOfCopy: bytesPerSecond / copyBytesPerSecond,
    };
  }

  async #profile(depth: number): Promise<ProfiledCall[] | null> {
    const { profile, onNotice } = this.#options;
    const plan = this.#executor.instruments?.plan;
    if (!profile || !this.#device || !plan) return null;
    const { name, timestamps } = this.#device.capabilities;
    if (!timestamps) {
      onNotice?.(`${name} has no time stamps: kernels are not timed`);
      return null;
    }
    const room = this.#executor.contextLength - depth - 1;
    await this.#toDepth(depth);
    const rows = await plan.profile(SEQUENCE, Math.min(PROFILED_STEPS, room));
    return rows.map(({ step, layer, op, kernel, variant, bytes, nanoseconds }) => {
      return { step, layer, op, kernel, variant, bytes, microseconds: nanoseconds / 1000 };
    });
  }
}

function measured(values: readonly number[]): Measured {
  const mean = values.reduce((sum, one) => sum + one, 0) / values.length;
  const squares = values.reduce((sum, one) => sum + (one - mean) ** 2, 0);
  const deviation = Math.sqrt(squares / Math.max(1, values.length - 1));
  return { values, median: median(values), mean, deviation };
}
