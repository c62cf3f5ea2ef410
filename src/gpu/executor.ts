/** The GPU executor: the executors' contract, on plans that are replayed. */
import { WebggufError } from "../base/errors.ts";
import type { Executor } from "../graph/executor.ts";
import { type Graph, givenWidth } from "../graph/graph.ts";
import type { Instruments } from "../graph/instruments.ts";
import { Pool } from "../graph/pool.ts";
import {
  checkPages,
  checkRequests,
  itemToken,
  type ResultOf,
  rowsOf,
  type SequenceId,
  SMALL_ROWS,
  StepOrder,
  type StepRequest,
  type StepResult,
} from "../graph/requests.ts";
import type { Saving } from "../graph/saved.ts";
import { variantKey } from "../kernels/compose.ts";
import type { ModelPlan } from "../plan/model-plan.ts";
import type { Buffers } from "../platform/buffers.ts";
import type { Gpu } from "../platform/types.ts";
import { type Chunk, chunkRows, gather } from "./chunks.ts";
import { type SubmitParts, Submitter } from "./submit.ts";

/** What an executor is made of. */
export interface GpuExecutorParts extends Omit<SubmitParts, "device" | "pool"> {
  readonly graph: Graph;
  readonly gpu: Gpu;
}

export class GpuExecutor implements Executor {
  readonly kind = "gpu";
  readonly adapter: string;
  readonly contextLength: number;
  readonly maxSequences: number;
  readonly vocabulary: number;
  readonly givenWidth: number;
  readonly causal: boolean;
  readonly stepsInFlight: number;
  readonly chunk: number;
  readonly outputChunk: number;
  readonly uniform = false;
  readonly smallRows: number = SMALL_ROWS;
  readonly memory: ModelPlan["memory"];
  readonly model: ModelPlan;
  readonly buffers: Buffers;
  /** Pipelines that its plans use. */
  readonly pipelineCount: number;
  /** Set by whoever opens it with instruments. */
  instruments?: Instruments;
  /** Outputs of a chunk, unless every row has one. */
  readonly outputs: number = SMALL_ROWS;
  readonly #gpu: Gpu;
  readonly #named: ReadonlyMap<string, GPUBuffer>;
  readonly #pool: Pool;
  readonly #submitter: Submitter;
  /** Elements of an output row. */
  readonly #width: number;
  readonly #lengthOf = (sequence: SequenceId): number => this.#pool.length(sequence);
  readonly #order = new StepOrder();
  /** Chunks that wait for their turn. */
  readonly #waiting = new Set<Chunk>();
  /** Resolves when the prompt that is computed chunk by chunk is done; others wait for it in order. */
  #tail: Promise<unknown> = Promise.resolve();
  #prompts = 0;
  #disposed = false;

  constructor(parts: GpuExecutorParts) {
    const { graph, gpu, buffers, named, model } = parts;
    this.#gpu = gpu;
    this.#width = graph.widths[graph.output];
    this.buffers = buffers;
    this.model = model;
    this.adapter = gpu.capabilities.name;
    this.contextLength = model.settings.contextLength;
    this.maxSequences = model.settings.maxSequences;
    this.vocabulary = graph.vocabulary;
    this.givenWidth = givenWidth(graph);
    this.causal = graph.causal;
    this.stepsInFlight = parts.stepsInFlight;
    const classes = model.plans.map((plan) => plan.rowClass);
    this.chunk = Math.max(...classes.map(({ rows }) => rows));
    const widest = classes.at(-1)!;
    this.outputChunk = widest.outputs > SMALL_ROWS ? widest.rows : SMALL_ROWS;
    this.memory = model.memory;
    const calls = model.plans.flatMap((plan) => [...plan.calls, ...plan.sampling]);
    this.pipelineCount = new Set(calls.map(variantKey)).size;
    this.#named = named;
    this.#pool = new Pool(model.pool);
    const { device } = gpu;
    this.#submitter = new Submitter({ ...parts, device, pool: this.#pool }, () => this.#check());
  }

  get pages(): Executor["pages"] {
    return this.#pool.pages;
  }

  pagesFor(sequence: SequenceId, count: number): number {
    return this.#pool.pagesFor(sequence, count);
  }

  length(sequence: SequenceId): number {
    return this.#pool.length(sequence);
  }

  rewind(sequence: SequenceId, length: number): number {
    const before = this.length(sequence);
    if (length >= before) return before;
    // Rows that wait for their turn cannot be kept.
    let kept = length;
    for (const { rows } of this.#waiting)
      for (const row of rows) if (row.sequence === sequence) kept = Math.min(kept, row.position);
    kept = this.#pool.reachable(sequence, kept);
    const reached = this.#disposed ? kept : this.#submitter.rewindState(sequence, kept);
    this.#shorten(sequence, reached);
    return reached;
  }

  publish(sequence: SequenceId, text: readonly number[]): void {
    this.#pool.publish(sequence, text);
  }

  begin(sequence: SequenceId, text: readonly number[]): number {
    const before = this.length(sequence);
    if (this.#disposed) return before;
    // What is pending knows the pages that the sequence has.
    this.#submitter.flush();
    const begun = this.#pool.begin(sequence, text);
    if (!begun) return before;
    const { length, copies, restore } = begun;
    this.#order.shortened(sequence);
    this.#submitter.move(copies, sequence, restore);
    this.#writeTable();
    this.#writeHistory(sequence, text.slice(0, length));
    return length;
  }

  /** Makes room for rows and counts them; their keys and values are for somebody to write. */
  append(sequence: SequenceId, count: number): void {
    this.#submitter.move(this.#pool.reserve(sequence, count), sequence, -1);
    this.#writeTable();
    this.#pool.advance(sequence, count);
  }

  step<const R extends StepRequest>(
    requests: readonly R[],
    signal?: AbortSignal,
  ): Promise<ResultOf<R>[]>;
  async step(requests: readonly StepRequest[], signal?: AbortSignal): Promise<StepResult[]> {
    this.#check();
    signal?.throwIfAborted();
    checkRequests(requests, this, this.#lengthOf);
    checkPages(requests, this);
    const chunks = chunkRows(requests, this, this.#lengthOf);
    const called = this.#order.call(requests);
    for (const request of requests) this.append(request.sequence, rowsOf(request, this.givenWidth));
    const parts =
      chunks.length === 1 && this.#prompts === 0
        ? [await this.#submitter.add(chunks[0])]
        : await this.#oneByOne(chunks, requests, called, signal);
    return gather(requests, parts, this.#width, this.givenWidth);
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#submitter.refuse(disposedError());
    this.buffers.disposeAll();
  }

  /** A long prompt goes chunk by chunk, so that it can be stopped and never floods the device. */
  async #oneByOne(
    chunks: readonly Chunk[],
    requests: readonly StepRequest[],
    called: readonly number[],
    signal?: AbortSignal,
  ): Promise<StepResult[]> {
    this.#prompts++;
    const before = this.#tail;
    let done: () => void = () => {};
    this.#tail = new Promise<void>((resolve) => (done = resolve));
    for (const chunk of chunks) this.#waiting.add(chunk);
    const parts: Promise<StepResult>[] = [];
    try {
      await before;
      for (const chunk of chunks) {
        // One chunk waits while another is computed.
        await parts.at(-2);
        signal?.throwIfAborted();
        this.#check();
        this.#order.check(requests, called);
        this.#waiting.delete(chunk);
        const part = this.#submitter.add(chunk);
        part.catch(() => {}); // reported below
        parts.push(part);
        this.#submitter.flush();
      }
      return await Promise.all(parts);
    } catch (error) {
      this.#takeBack(chunks, requests, called);
      await Promise.allSettled(parts);
      throw error;
    } finally {
      this.#prompts--;
      done();
    }
  }

  /** Rows of a failed step that were never submitted do not count. */
  #takeBack(
    chunks: readonly Chunk[],
    requests: readonly StepRequest[],
    called: readonly number[],
  ): void {
    const lost = new Map<SequenceId, number>();
    for (const chunk of chunks) {
      if (!this.#waiting.delete(chunk)) continue;
      for (const { sequence, position } of chunk.rows)
        lost.set(sequence, Math.min(position, lost.get(sequence) ?? position));
    }
    const standing = requests.filter((_, at) => this.#order.stands(requests, called, at));
    for (const [sequence, position] of lost)
      if (standing.some((request) => request.sequence === sequence))
        this.#shorten(sequence, position);
  }

  async saving(): Promise<Saving> {
    // A chunk of its own in a page's bundle.
    const { savingOn } = await import("./saving.ts");
    const { device } = this.#gpu;
    const { slots, pool: shape } = this.model;
    return savingOn({
      ...{ device, slots, buffers: this.buffers, named: this.#named, pool: this.#pool },
      rings: shape.rings ?? [],
      check: () => this.#check(),
      flush: () => this.#submitter.flush(),
      append: (sequence, count) => this.append(sequence, count),
      appended: (sequence, text) => {
        this.#order.shortened(sequence);
        this.#submitter.keepState(sequence, text.length);
        this.#writeHistory(sequence, text);
      },
    });
  }

  #writeHistory(sequence: SequenceId, text: readonly number[]): void {
    const history = this.#named.get("history")!;
    const at = 4 * sequence * this.contextLength;
    this.#gpu.device.queue.writeBuffer(history, at, Uint32Array.from(text, itemToken));
  }

  /** Tells the device which entries of the page table changed. */
  #writeTable(): void {
    const changed = this.#pool.changes();
    if (!changed) return;
    const { first, count } = changed;
    const pages = this.#named.get("pages")!;
    this.#gpu.device.queue.writeBuffer(pages, 4 * first, this.#pool.table, first, count);
  }

  #shorten(sequence: SequenceId, length: number): void {
    this.#pool.rewind(sequence, length);
    this.#order.shortened(sequence);
  }

  #check(): void {
    if (this.#disposed) throw disposedError();
    this.#gpu.check();
  }
}

const disposedError = (): WebggufError =>
  new WebggufError("session/disposed", "Cannot use the model: it has been disposed");
