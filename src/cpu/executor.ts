/** The CPU executor: the same graph without a GPU. */
import { WebggufError } from "../base/errors.ts";
import type { Executor } from "../graph/executor.ts";
import { type Graph, givenWidth } from "../graph/graph.ts";
import type { Instruments } from "../graph/instruments.ts";
import { Pool } from "../graph/pool.ts";
import { PAGE } from "../graph/prefixes.ts";
import {
  checkPages,
  checkRequests,
  checkRoom,
  checkSequence,
  type DeviceSampling,
  givenRows,
  isArgmax,
  itemToken,
  type ResultOf,
  rowsOf,
  type SequenceId,
  SMALL_ROWS,
  type StepInput,
  StepOrder,
  type StepRequest,
  type StepResult,
} from "../graph/requests.ts";
import type { SavedRows, Saving } from "../graph/saved.ts";
import type { ComputeOptions } from "../graph/settings.ts";
import type { Runner } from "./run.ts";
import { formsOf, loadRows, saveRows } from "./saving.ts";
import { type BlockRows, floatsOf, Sequence, snapshotRows, snapshotsKept } from "./sequence.ts";

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
  readonly uniform = true;
  readonly smallRows: number = SMALL_ROWS;
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
  readonly #saving: Saving;
  readonly #graph: Graph;
  readonly #options: ComputeOptions;
  readonly #sampleRow: CpuExecutorHooks["sampleRow"];
  readonly #sequences = new Map<SequenceId, Sequence>();
  readonly #order = new StepOrder();
  /** The sequence of which rows are being computed. */
  #busy: SequenceId | undefined;
  readonly #pool: Pool;
  /** Rows of pages that no sequence has any more, and copies of recurrent state. */
  readonly #kept = new Map<number, BlockRows>();
  readonly #states = new Map<number, BlockRows>();
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
    const { cacheTypeK = "f16", cacheTypeV = "f16" } = options;
    const forms = formsOf(graph, cacheTypeK, cacheTypeV);
    this.#saving = {
      forms,
      save: async (id) => saveRows(this.#sequence(id), forms),
      load: (id, text, saved) => this.#load(id, text, saved),
    };
    const { contextLength, maxSequences } = this;
    const copies = graph.slots.some(({ kind }) => kind === "state") ? snapshotsKept : 0;
    this.#pool = new Pool(
      { contextLength, maxSequences, copies },
      {
        kept: (page, id, block) => {
          if (!this.#kept.has(page)) this.#kept.set(page, this.#sequence(id).saveBlock(block));
        },
        pageTaken: (page) => this.#kept.delete(page),
        copyGone: (copy) => this.#states.delete(copy),
      },
    );
  }

  get pages(): Executor["pages"] {
    return this.#pool.pages;
  }

  pagesFor(sequence: SequenceId, count: number): number {
    return this.#pool.pagesFor(sequence, count);
  }

  get memory(): Executor["memory"] {
    let cache = 0;
    for (const sequence of this.#sequences.values()) cache += sequence.bytes;
    for (const kept of [this.#kept, this.#states])
      for (const parts of kept.values()) cache += 4 * floatsOf(parts);
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
    checkPages(requests, this);
    const called = this.#order.call(requests);
    const tasks = requests.map((request): Task => {
      const sequence = this.#sequence(request.sequence);
      const count = rowsOf(request, this.givenWidth);
      const start = sequence.length;
      this.#append(request.sequence, count);
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
    const reached = this.#bringBack(id, Math.min(length, sequence.computed), sequence);
    sequence.shorten(reached);
    this.#pool.rewind(id, reached);
    if (reached === 0) this.#sequences.delete(id);
    return reached;
  }

  publish(id: SequenceId, text: readonly number[]): void {
    this.#pool.publish(id, text);
  }

  begin(id: SequenceId, text: readonly number[]): number {
    const before = this.length(id);
    // Rows that are being computed are written where a sequence begun would stand.
    if (this.#busy === id) return before;
    const old = this.#sequences.get(id);
    const begun = this.#pool.begin(id, text);
    if (!begun) return before;
    const { length, copies, restore } = begun;
    this.#order.shortened(id);
    this.#sequences.delete(id);
    const sequence = this.#sequence(id);
    for (let block = 0; block * PAGE < length; block++) {
      const own = this.#pool.pageOf(id, 0, block);
      const page = copies.find(({ to }) => to === own)?.from ?? own;
      const rows = Math.min(PAGE, length - block * PAGE);
      const kept = this.#kept.get(page);
      if (page === own) this.#kept.delete(page);
      // A page that nobody else has, and is not kept, is one that the sequence had before.
      const holder = this.#pool.holder(page, block, id);
      const from = holder === undefined ? old : this.#sequences.get(holder);
      sequence.loadBlock(block, kept ?? from!.saveBlock(block, rows));
    }
    if (restore >= 0) sequence.loadState(this.#states.get(restore));
    sequence.shorten(length);
    for (let i = 0; i < length; i++) sequence.text[i] = itemToken(text[i]);
    return length;
  }

  async saving(): Promise<Saving> {
    return this.#saving;
  }

  #load(id: SequenceId, text: readonly number[], saved: SavedRows): boolean {
    // Windows are not kept apart here: a sequence can be shortened to any row.
    if (saved.slots.some(({ first }) => first > 0)) return false;
    const { length } = saved;
    this.#append(id, length);
    const sequence = this.#sequence(id);
    loadRows(sequence, this.#saving.forms, saved);
    sequence.shorten(length);
    for (let i = 0; i < length; i++) sequence.text[i] = itemToken(text[i]);
    if (sequence.recurrent) {
      this.#pool.computed(id, length);
      this.#states.set(this.#pool.copyState(id, length, false), sequence.saveState());
    }
    return true;
  }

  async dispose(): Promise<void> {
    this.#runner = undefined;
    await this.#queue;
    this.#end();
    this.#sequences.clear();
    this.#kept.clear();
    this.#states.clear();
  }

  async #fill(id: SequenceId, count: number): Promise<void> {
    checkSequence(id, this.maxSequences);
    checkRoom(this.length(id), count, this.contextLength);
    await this.#queue;
    const before = this.length(id);
    this.#append(id, count);
    const sequence = this.#sequence(id);
    sequence.length = before;
    sequence.fill(count);
  }

  /** Makes room for rows and counts them. */
  #append(id: SequenceId, count: number): void {
    // The sequence's rows are its own here: nothing has to be copied.
    this.#pool.reserve(id, count);
    this.#pool.advance(id, count);
    this.#sequence(id).length += count;
  }

  /** The state of at most `length` rows, those of the longest copy where it has moved on; returns of how many. */
  #bringBack(id: SequenceId, length: number, sequence: Sequence): number {
    if (!sequence.recurrent) return length;
    const { moving } = sequence;
    const { length: reached, restore } = this.#pool.rewindState(id, length, moving);
    if (moving || reached < sequence.computed)
      sequence.loadState(restore < 0 ? undefined : this.#states.get(restore));
    return reached;
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
        if (this.#sequences.get(request.sequence) !== sequence) return;
        if (sequence.moving)
          sequence.recovered(this.#bringBack(request.sequence, sequence.computed, sequence));
        if (!this.#order.stands(requests, called, at)) return;
        sequence.length = sequence.computed;
        this.#pool.rewind(request.sequence, sequence.length);
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
      this.#busy = request.sequence;
      const output = await run.rows(chunk, signal).finally(() => {
        this.#busy = undefined;
      });
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
      this.#keepState(request.sequence, sequence);
      from = to;
    }
    return { rows, tokens: sampled };
  }

  /** Keeps a copy of recurrent state at every border. */
  #keepState(id: SequenceId, sequence: Sequence): void {
    if (!sequence.recurrent) return;
    this.#pool.computed(id, sequence.computed);
    if (sequence.computed % snapshotRows !== 0) return;
    this.#states.set(this.#pool.copyState(id, sequence.computed, false), sequence.saveState());
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
