/** The CPU executor: the same graph without a GPU. */
import { WebggufError } from "../base/errors.ts";
import type { Executor } from "../graph/executor.ts";
import { type Graph, givenWidth } from "../graph/graph.ts";
import type { Instruments } from "../graph/instruments.ts";
import {
  checkRequests,
  checkRoom,
  checkSequence,
  type DeviceSampling,
  givenRows,
  isArgmax,
  type ResultOf,
  rowsOf,
  type SequenceId,
  type StepInput,
  StepOrder,
  type StepRequest,
  type StepResult,
} from "../graph/requests.ts";
import type { ComputeOptions } from "../graph/settings.ts";
import type { Runner } from "./run.ts";
import { Sequence, snapshotRows } from "./sequence.ts";

export interface CpuExecutorHooks {
  readonly signal?: AbortSignal;
  /** Bytes of weights read, so far and in all. */
  readonly onProgress?: (loaded: number, total: number) => void;
  /** What a user of it should know. */
  readonly onNotice?: (notice: string) => void;
  /**
   * Draws a token where that is more than taking the largest logit; `position` is the one that the
   * token will have, `text` the sequence's tokens before it.
   */
  readonly sampleRow?: (
    logits: Float32Array,
    sampling: DeviceSampling,
    position: number,
    text: readonly number[],
  ) => number;
}

interface Task {
  readonly request: StepRequest;
  readonly sequence: Sequence;
  /** Position of the first row. */
  readonly start: number;
  readonly count: number;
}

/** Number of the largest entry, the first of equals. */
export function argmax(x: Float32Array): number {
  let best = 0;
  for (let i = 1; i < x.length; i++) if (x[i] > x[best]) best = i;
  return best;
}

/** Rows that are computed at once, at most. */
export const chunkOf = (graph: Graph, { chunk = 64, contextLength }: ComputeOptions): number =>
  graph.causal ? chunk : contextLength;

export class CpuExecutor implements Executor {
  readonly kind = "cpu";
  readonly adapter: string;
  readonly stepsInFlight = 1;
  readonly contextLength: number;
  readonly maxSequences: number;
  readonly chunk: number;
  readonly instruments: Instruments = {
    fill: (sequence, count) => this.#fill(sequence, count),
    memory: () => ({ ...this.memory }),
  };
  readonly vocabulary: number;
  readonly givenWidth: number;
  readonly causal: boolean;
  readonly outputChunk: number;
  readonly #graph: Graph;
  readonly #options: ComputeOptions;
  readonly #sampleRow: CpuExecutorHooks["sampleRow"];
  readonly #sequences = new Map<SequenceId, Sequence>();
  readonly #order = new StepOrder();
  #runner: Runner | undefined;
  readonly #end: () => void;
  /** Resolves when all steps so far are done; never rejects. */
  #queue: Promise<unknown> = Promise.resolve();

  /** @param end is called when it is disposed of */
  constructor(
    adapter: string,
    graph: Graph,
    runner: Runner,
    options: ComputeOptions,
    hooks: CpuExecutorHooks = {},
    end: () => void = () => {},
  ) {
    this.adapter = adapter;
    this.contextLength = options.contextLength;
    this.maxSequences = options.maxSequences ?? 1;
    this.chunk = chunkOf(graph, options);
    this.outputChunk = this.chunk;
    this.vocabulary = graph.vocabulary;
    this.givenWidth = givenWidth(graph);
    this.causal = graph.causal;
    this.#graph = graph;
    this.#options = options;
    this.#sampleRow = hooks.sampleRow;
    this.#runner = runner;
    this.#end = end;
  }

  get memory(): Executor["memory"] {
    let cache = 0;
    for (const sequence of this.#sequences.values()) cache += sequence.bytes;
    const { weights = 0, scratch = 0 } = this.#runner?.held ?? {};
    return { weights, cache, arena: scratch };
  }

  length(id: SequenceId): number {
    checkSequence(id, this.maxSequences);
    return this.#sequences.get(id)?.length ?? 0;
  }

  step<const R extends StepRequest>(
    requests: readonly R[],
    signal?: AbortSignal,
  ): Promise<ResultOf<R>[]>;
  async step(requests: readonly StepRequest[], signal?: AbortSignal): Promise<StepResult[]> {
    this.#checkOpen();
    signal?.throwIfAborted();
    checkRequests(requests, this, (id) => this.length(id));
    const called = this.#order.call(requests);
    const tasks = requests.map((request): Task => {
      const sequence = this.#sequence(request.sequence);
      const count = rowsOf(request, this.givenWidth);
      const start = sequence.length;
      sequence.length += count;
      return { request, sequence, start, count };
    });
    const work = this.#queue.then(() => this.#all(tasks, requests, called, signal));
    this.#queue = work.catch(() => {});
    return work;
  }

  rewind(id: SequenceId, length: number): number {
    checkSequence(id, this.maxSequences);
    const sequence = this.#sequences.get(id);
    if (!sequence || length >= sequence.length) return sequence?.length ?? 0;
    this.#order.shortened(id);
    if (length <= 0) this.#sequences.delete(id);
    return length <= 0 ? 0 : sequence.rewind(length);
  }

  async dispose(): Promise<void> {
    this.#runner = undefined;
    await this.#queue;
    this.#end();
    this.#sequences.clear();
  }

  async #fill(id: SequenceId, count: number): Promise<void> {
    checkSequence(id, this.maxSequences);
    checkRoom(this.length(id), count, this.contextLength);
    await this.#queue;
    this.#sequence(id).fill(count);
  }

  #sequence(id: SequenceId): Sequence {
    let sequence = this.#sequences.get(id);
    if (sequence) return sequence;
    const { cacheTypeK = "f16", cacheTypeV = "f16" } = this.#options;
    const room = this.#runner?.slots?.(id);
    sequence = new Sequence(this.#graph, cacheTypeK, cacheTypeV, this.contextLength, room);
    this.#sequences.set(id, sequence);
    return sequence;
  }

  async #all(
    tasks: readonly Task[],
    requests: readonly StepRequest[],
    called: readonly number[],
    signal?: AbortSignal,
  ): Promise<StepResult[]> {
    const results: StepResult[] = [];
    const check = (): void => this.#order.check(requests, called);
    try {
      for (const task of tasks) results.push(await this.#task(task, check, signal));
    } catch (error) {
      // What was not computed was not appended: the sequences go back to where they really are.
      tasks.forEach(({ request, sequence }, at) => {
        sequence.recover();
        if (!this.#order.stands(requests, called, at)) return;
        sequence.length = sequence.computed;
        this.#order.shortened(request.sequence);
      });
      throw error;
    }
    return results;
  }

  /** `check` throws when a sequence was shortened since the step was called. */
  async #task(
    { request, sequence, start, count }: Task,
    check: () => void,
    signal?: AbortSignal,
  ): Promise<StepResult> {
    const vectors = givenRows(request.input)?.rows;
    const tokens = tokensOf(request.input, count, sequence.sampled);
    // No token stands where a row was given.
    for (let i = 0; i < count; i++) sequence.text[start + i] = vectors ? -1 : tokens[i];
    const width = this.#graph.widths[this.#graph.output];
    const wanted = request.outputs === "none" ? count : request.outputs === "last" ? count - 1 : 0;
    const rows = request.read ? new Float32Array((count - wanted) * width) : undefined;
    const sampled = request.sample ? new Int32Array(count - wanted) : undefined;
    for (let from = 0; from < count; ) {
      signal?.throwIfAborted();
      const run = this.#checkOpen();
      check();
      const to = Math.min(count, from + this.#chunkAt(sequence));
      const length = to - from;
      const outputs = Array.from({ length }, (_, i) => i).filter((i) => from + i >= wanted);
      const chunk = {
        sequence,
        tokens: Array.prototype.slice.call(tokens, from, to),
        given: vectors?.subarray(from * this.givenWidth, to * this.givenWidth),
        outputs,
      };
      sequence.begin();
      const output = await run.rows(chunk, signal);
      // The sequence may have been shortened meanwhile.
      check();
      if (output) {
        const at = from + outputs[0] - wanted;
        rows?.set(output, at * width);
        for (let i = 0; sampled && request.sample && i < outputs.length; i++) {
          const row = output.subarray(i * width, (i + 1) * width);
          const step = start + from + outputs[i] + 1;
          sampled[at + i] = this.#sample(row, request.sample, step, sequence.text);
          sequence.sampled = sampled[at + i];
        }
      }
      sequence.advance(length);
      from = to;
    }
    return { rows, tokens: sampled };
  }

  #checkOpen(): Runner {
    if (this.#runner) return this.#runner;
    throw new WebggufError("session/disposed", "Cannot use the model: it has been disposed");
  }

  /** Recurrent state is kept at borders, so chunks end there. */
  #chunkAt(sequence: Sequence): number {
    const toBorder = snapshotRows - (sequence.computed % snapshotRows);
    return sequence.recurrent ? Math.min(this.chunk, toBorder) : this.chunk;
  }

  #sample(
    row: Float32Array,
    sampling: DeviceSampling,
    position: number,
    text: readonly number[],
  ): number {
    if (isArgmax(sampling) || !this.#sampleRow) return argmax(row);
    return this.#sampleRow(row, sampling, position, text);
  }
}

/** A given row counts as token 0 wherever tokens are looked up besides the embeddings, as in llama.cpp. */
function tokensOf(input: StepInput, count: number, sampled: number): ArrayLike<number> {
  if (input === "sampled") return [sampled];
  return "rows" in input ? new Uint8Array(count) : input;
}
