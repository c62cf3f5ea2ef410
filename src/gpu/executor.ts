/** The GPU executor: turns step requests into replays of plans, keeps steps in flight, reads back little and late. */
import { WebggufError } from "../base/errors.ts";
import type { Executor, SequenceId, StepRequest, StepResult } from "../graph/executor.ts";
import type { Instruments } from "../graph/instruments.ts";
import type { Graph } from "../graph/ops.ts";
import { variantKey } from "../kernels/compose.ts";
import type { ModelPlan } from "../plan/model-plan.ts";
import { encodeStep, type Row, slotBytes } from "../plan/steps.ts";
import type { Buffers } from "../platform/buffers.ts";
import type { Gpu } from "../platform/types.ts";
import {
  type Chunk,
  type ChunkResult,
  type CutLimits,
  checkRequests,
  cutRows,
  type Draws,
  gather,
  rowsOf,
} from "./chunks.ts";
import { PageTable } from "./pages.ts";
import type { Pipelines } from "./pipelines.ts";
import { Readback } from "./readback.ts";
import type { Replay } from "./replay.ts";
import { Slices } from "./slices.ts";
import { StateCopies } from "./state-copies.ts";

const SMALL_ROWS = 8;

/** A step that waits for its submit. */
interface Pending {
  readonly replay: Replay;
  readonly rows: readonly Row[];
  readonly outputs: number;
  readonly end: number;
  /** Draws behind that. */
  readonly draws: Draws;
  readonly sample: boolean;
  readonly read: boolean;
  readonly resolve: (result: { logits?: Float32Array; tokens?: Int32Array }) => void;
  readonly reject: (error: unknown) => void;
}

/** Outputs on their way to the host. */
interface Read {
  readonly staging: GPUBuffer;
  readonly bytes: number;
}

export class GpuExecutor implements Executor {
  readonly kind = "gpu";
  readonly adapter: string;
  readonly contextLength: number;
  readonly maxSequences: number;
  readonly stepsInFlight: number;
  readonly chunk: number;
  readonly memory: { readonly weights: number; readonly cache: number; readonly arena: number };
  readonly lost: Promise<string>;
  readonly model: ModelPlan;
  readonly buffers: Buffers;
  /** Pipelines that its plans use. */
  readonly pipelineCount: number;
  /** Set by whoever opens it with instruments. */
  instruments?: Instruments;
  readonly #gpu: Gpu;
  readonly #named: ReadonlyMap<string, GPUBuffer>;
  readonly #replays: readonly Replay[];
  readonly #pages: PageTable;
  readonly #states: StateCopies;
  readonly #slotBytes: number;
  readonly #words: Uint32Array<ArrayBuffer>;
  readonly #stepGroups = new Map<number, GPUBindGroup>();
  readonly #tables: GPUBindGroup;
  readonly #readback: Readback;
  readonly #limits: CutLimits;
  /** Elements of an output. */
  readonly #width: number;
  readonly #layout: GPUBindGroupLayout;
  readonly #slices = new Slices();
  readonly #lengthOf = (sequence: SequenceId): number => this.#pages.length(sequence);
  #pending: Pending[] = [];
  #scheduled = false;
  #tail: Promise<unknown> = Promise.resolve();
  #busy = 0;
  #disposed = false;

  constructor(
    graph: Graph,
    gpu: Gpu,
    buffers: Buffers,
    named: ReadonlyMap<string, GPUBuffer>,
    pipelines: Pipelines,
    model: ModelPlan,
    replays: readonly Replay[],
    stepsInFlight: number,
  ) {
    this.#width = graph.widths[graph.output];
    this.#gpu = gpu;
    this.buffers = buffers;
    this.#named = named;
    this.model = model;
    this.#replays = replays;
    this.adapter = gpu.capabilities.name;
    this.lost = gpu.lost;
    this.contextLength = model.settings.contextLength;
    this.maxSequences = model.settings.maxSequences;
    this.stepsInFlight = stepsInFlight;
    this.chunk = Math.max(...model.plans.map((p) => p.rowClass.rows));
    this.memory = model.memory;
    const calls = model.plans.flatMap((p) => [...p.calls, ...p.drawing]);
    this.pipelineCount = new Set(calls.map(variantKey)).size;
    this.#pages = new PageTable(this.contextLength, this.maxSequences);
    const states = model.slots.filter((slot) => slot.kind === "state");
    this.#states = new StateCopies(states, named, this.maxSequences, SMALL_ROWS);
    this.#slotBytes = slotBytes(SMALL_ROWS);
    this.#words = new Uint32Array(named.get("step")!.size / 4);
    this.#layout = pipelines.layouts.step;
    this.#readback = new Readback(buffers, () => this.#check());
    const widest = replays.at(-1)!.plan.rowClass;
    this.#limits = {
      chunk: this.chunk,
      wide: widest.outputs > SMALL_ROWS ? widest.rows : SMALL_ROWS,
      outputs: SMALL_ROWS,
      vocabulary: graph.vocabulary,
      causal: graph.causal,
    };
    this.#tables = gpu.device.createBindGroup({
      layout: pipelines.layouts.tables,
      entries: [{ binding: 0, resource: { buffer: named.get("tables")! } }],
    });
  }

  reserve(sequence: SequenceId, count: number): void {
    this.#check();
    const changed = this.#pages.reserve(sequence, count);
    if (!changed) return;
    const { table } = this.#pages;
    this.#gpu.device.queue.writeBuffer(
      this.#buffer("pages"),
      4 * changed.first,
      table,
      changed.first,
      changed.count,
    );
  }

  length(sequence: SequenceId): number {
    return this.#pages.length(sequence);
  }

  rewind(sequence: SequenceId, length: number): number {
    const reached = this.#rewindState(sequence, length);
    this.#pages.rewind(sequence, reached);
    return this.#pages.length(sequence);
  }

  /** Makes room for rows whose keys and values somebody else writes, and counts them. */
  append(sequence: SequenceId, count: number): void {
    this.reserve(sequence, count);
    this.#pages.advance(sequence, count);
  }

  async step(requests: readonly StepRequest[], signal?: AbortSignal): Promise<StepResult[]> {
    this.#check();
    signal?.throwIfAborted();
    const chunks = this.#cut(requests);
    if (chunks.length === 1 && this.#busy === 0)
      return gather(requests, [await this.#enqueue(chunks[0])], this.#width);
    // A long prompt goes chunk by chunk, so that it can be stopped and never floods the device.
    this.#busy++;
    const before = this.#tail;
    let done: () => void = () => {};
    this.#tail = new Promise<void>((resolve) => (done = resolve));
    try {
      await before;
      const parts: Promise<ChunkResult>[] = [];
      for (const [i, chunk] of chunks.entries()) {
        try {
          signal?.throwIfAborted();
          // One chunk waits while another is computed.
          await parts.at(-2);
          this.#check();
        } catch (error) {
          this.#takeBack(chunks.slice(i));
          await Promise.allSettled(parts);
          throw error;
        }
        const part = this.#enqueue(chunk);
        part.catch(() => {}); // reported below
        parts.push(part);
        this.#flush();
      }
      return gather(requests, await Promise.all(parts), this.#width);
    } finally {
      this.#busy--;
      done();
    }
  }

  /** Rows that were never submitted do not count. */
  #takeBack(chunks: readonly Chunk[]): void {
    for (const { rows } of [...chunks].reverse())
      for (const row of [...rows].reverse())
        if (row.position < this.#pages.length(row.sequence))
          this.#pages.rewind(row.sequence, row.position);
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const waiting of this.#pending) waiting.reject(disposedError());
    this.#pending = [];
    this.buffers.disposeAll();
  }

  /** Cuts requests into chunks, makes room for them, and advances the lengths. */
  #cut(requests: readonly StepRequest[]): Chunk[] {
    checkRequests(requests, this.#limits);
    const chunks = cutRows(requests, this.#limits, this.#lengthOf);
    let taken = 0;
    try {
      for (; taken < requests.length; taken++) {
        const count = rowsOf(requests[taken]);
        this.reserve(requests[taken].sequence, count);
        this.#pages.advance(requests[taken].sequence, count);
      }
    } catch (error) {
      while (taken-- > 0) {
        const { sequence } = requests[taken];
        this.#pages.rewind(sequence, this.#pages.length(sequence) - rowsOf(requests[taken]));
      }
      throw error;
    }
    return chunks;
  }

  #enqueue(chunk: Chunk): Promise<ChunkResult> {
    const { rows, outputs } = chunk;
    const replay = this.#replayFor(rows.length, outputs);
    const { plan } = replay;
    const draws = outputs > 0 ? chunk.draws : "none";
    const greedy = chunk.sample && draws === "none";
    const end = outputs === 0 ? plan.bodyLength : greedy ? plan.calls.length : plan.outputLength;
    return new Promise((resolve, reject) => {
      this.#pending.push({
        replay,
        rows,
        outputs,
        end,
        draws,
        sample: chunk.sample && outputs > 0,
        read: chunk.read && outputs > 0,
        resolve,
        reject,
      });
      const small = rows.length <= SMALL_ROWS && !chunk.read;
      if (!small || this.#pending.length >= this.stepsInFlight) this.#flush();
      else if (!this.#scheduled) {
        this.#scheduled = true;
        queueMicrotask(() => this.#flush());
      }
    });
  }

  /** The smallest plan that holds a chunk; they are in order of size. */
  #replayFor(rows: number, outputs: number): Replay {
    let i = 0;
    for (; i < this.#replays.length - 1; i++) {
      const { rowClass } = this.#replays[i].plan;
      if (rows <= rowClass.rows && outputs <= rowClass.outputs) break;
    }
    return this.#replays[i];
  }

  /** Encodes and submits all pending steps: one write, one command buffer, one copy back. */
  #flush(): void {
    this.#scheduled = false;
    while (this.#pending.length > 0) {
      const small = this.#pending[0].rows.length <= SMALL_ROWS;
      let count = 1;
      if (small) {
        while (
          count < this.#pending.length &&
          count < this.stepsInFlight &&
          this.#pending[count].rows.length <= SMALL_ROWS
        )
          count++;
      }
      const batch = this.#pending.splice(0, count);
      try {
        this.#submit(batch, small ? this.#slotBytes : slotBytes(batch[0].rows.length));
      } catch (error) {
        for (const step of batch) step.reject(error);
      }
    }
  }

  #submit(batch: readonly Pending[], slot: number): void {
    this.#check();
    const { device } = this.#gpu;
    const words = slot / 4;
    const resultBase = this.maxSequences;
    let results = 0;
    for (let i = 0; i < batch.length; i++) {
      encodeStep(this.#words, i * words, batch[i].rows, results);
      results += batch[i].sample ? batch[i].outputs : 0;
    }
    device.queue.writeBuffer(this.#buffer("step"), 0, this.#words, 0, batch.length * words);
    const group = this.#stepGroup(slot);
    const wide = batch[0].rows.length > SMALL_ROWS;
    const begun = wide ? this.#submitSlices(batch[0], group) : 0;
    const encoder = device.createCommandEncoder();
    const reads: Read[] = [];
    let pass: GPUComputePassEncoder | undefined;
    for (let i = 0; i < batch.length; i++) {
      const step = batch[i];
      if (!pass) {
        pass = encoder.beginComputePass();
        pass.setBindGroup(2, this.#tables);
      }
      pass.setBindGroup(0, group, [i * slot]);
      step.replay.encode(pass, step.end, step.draws, step.rows.length, step.outputs, begun);
      const saved = this.#states.due(step.rows);
      if (!step.read && saved.length === 0) continue;
      pass.end();
      pass = undefined;
      for (const copy of saved) this.#states.save(encoder, copy);
      if (!step.read) continue;
      const { output } = step.replay.plan;
      const bytes = 4 * output.stride * step.outputs;
      const staging = this.#readback.take(bytes);
      encoder.copyBufferToBuffer(this.#buffer(output.buffer), 4 * output.offset, staging, 0, bytes);
      reads.push({ staging, bytes });
    }
    pass?.end();
    const tokens = results > 0 ? this.#readback.take(4 * results) : undefined;
    if (tokens)
      encoder.copyBufferToBuffer(this.#buffer("sampled"), 4 * resultBase, tokens, 0, 4 * results);
    device.queue.submit([encoder.finish()]);
    if (wide) this.#time();
    void this.#deliver(batch, reads, tokens, results);
  }

  /** Submits all but the last slice of a chunk; returns the first call that is left. */
  #submitSlices({ replay, end, rows, outputs }: Pending, group: GPUBindGroup): number {
    const { device } = this.#gpu;
    const calls = Math.ceil(end / this.#slices.count);
    let start = 0;
    for (; start + calls < end; start += calls) {
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setBindGroup(2, this.#tables);
      pass.setBindGroup(0, group, [0]);
      replay.encode(pass, start + calls, "none", rows.length, outputs, start);
      pass.end();
      device.queue.submit([encoder.finish()]);
    }
    return start;
  }

  /** Learns from the chunk that was just submitted how the next one is cut. */
  #time(): void {
    const { count } = this.#slices;
    const started = performance.now();
    const learn = (): void => this.#slices.done(count, started, performance.now());
    this.#gpu.device.queue.onSubmittedWorkDone().then(learn, () => {});
  }

  /** Brings back the state of at most `length` rows; returns of how many. Without state that is no question. */
  #rewindState(sequence: SequenceId, length: number): number {
    if (!this.#states.any || this.#disposed) return length;
    this.#flush();
    const { device } = this.#gpu;
    let encoder: GPUCommandEncoder | undefined;
    const reached = this.#states.rewind(
      sequence,
      length,
      () => (encoder = device.createCommandEncoder()),
    );
    if (encoder) device.queue.submit([encoder.finish()]);
    return reached;
  }

  async #deliver(
    batch: readonly Pending[],
    reads: readonly Read[],
    tokens: GPUBuffer | undefined,
    results: number,
  ): Promise<void> {
    try {
      // A step without results is done when its work is.
      if (!tokens && reads.length === 0) await this.#gpu.device.queue.onSubmittedWorkDone();
      // All maps are asked for before the first is waited for.
      const sampled = tokens && this.#readback.bring(tokens, 4 * results);
      let floats: readonly ArrayBuffer[] = [];
      if (reads.length > 0) {
        sampled?.catch(() => {}); // waited for below
        floats = await Promise.all(reads.map((r) => this.#readback.bring(r.staging, r.bytes)));
      }
      const ids = sampled && new Int32Array(await sampled);
      let at = 0;
      let read = 0;
      for (const step of batch) {
        const logits = step.read
          ? this.#compact(new Float32Array(floats[read++]), step)
          : undefined;
        const count = step.sample ? step.outputs : 0;
        const mine = ids && step.sample ? ids.subarray(at, at + count) : undefined;
        step.resolve({ logits, tokens: mine });
        at += count;
      }
    } catch (error) {
      for (const step of batch) step.reject(error);
    }
  }

  /** Rows without their padding. */
  #compact(values: Float32Array, step: Pending): Float32Array {
    const { stride, width } = step.replay.plan.output;
    if (stride === width) return values;
    const out = new Float32Array(width * step.outputs);
    for (let r = 0; r < step.outputs; r++)
      out.set(values.subarray(r * stride, r * stride + width), r * width);
    return out;
  }

  #stepGroup(slot: number): GPUBindGroup {
    let group = this.#stepGroups.get(slot);
    if (!group) {
      group = this.#gpu.device.createBindGroup({
        layout: this.#layout,
        entries: [
          { binding: 0, resource: { buffer: this.#buffer("step"), offset: 0, size: slot } },
          { binding: 1, resource: { buffer: this.#buffer("pages") } },
        ],
      });
      this.#stepGroups.set(slot, group);
    }
    return group;
  }

  #buffer(name: string): GPUBuffer {
    return this.#named.get(name)!;
  }

  #check(): void {
    if (this.#disposed) throw disposedError();
    this.#gpu.check();
  }
}

const disposedError = (): WebggufError =>
  new WebggufError("session/disposed", "Cannot use the model: it has been disposed");
