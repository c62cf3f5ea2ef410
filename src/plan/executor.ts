/** The GPU executor: turns step requests into replays of plans, keeps steps in flight, reads back little and late. */
import { WebggufError } from "../base/errors.ts";
import { PAGE } from "../cache/layout.ts";
import { PageTable } from "../cache/pages.ts";
import { quantTables } from "../gguf/tables.ts";
import type { GgufFile } from "../gguf/types.ts";
import {
  type DeviceSampling,
  type Executor,
  MAX_DEVICE_TOP_K,
  type SequenceId,
  type StepRequest,
  type StepResult,
} from "../graph/executor.ts";
import type { Graph } from "../graph/ops.ts";
import { ropeAngles } from "../graph/rope.ts";
import { Pipelines } from "../kernels/pipelines.ts";
import type { CacheTypeName, StateLayout } from "../kernels/slot.ts";
import { Buffers, BufferUsage, MapMode } from "../platform/buffers.ts";
import type { Gpu } from "../platform/types.ts";
import { loadWeights } from "../weights/upload.ts";
import { chooseStepsInFlight, MOST_STEPS_IN_FLIGHT } from "./latency.ts";
import { type ModelPlan, planModel } from "./memory.ts";
import { noiseRows } from "./noise.ts";
import type { Tuning } from "./plan.ts";
import { Replay } from "./replay.ts";
import { advances, Snapshots, snapshotBuffer } from "./snapshots.ts";
import { encodeStep, type Row, SAMPLED, slotBytes } from "./steps.ts";
import { tuningFor } from "./tuning.ts";

export interface GpuExecutorOptions {
  readonly contextLength: number;
  readonly maxSequences: number;
  readonly cacheTypeK: CacheTypeName;
  readonly cacheTypeV: CacheTypeName;
  /** Rows of a prefill chunk. @default 512, on software adapters 64 */
  readonly chunk?: number;
  /** Steps that share one submit. @default chosen by how long results take to come back */
  readonly stepsInFlight?: number;
  /** Activations as signed bytes where the language has packed products; `auto` = where they are faster. @default "off" */
  readonly int8?: "auto" | "on" | "off";
  readonly noFuse?: readonly string[];
  readonly tuning?: Partial<Tuning>;
  /** Weights are split into pieces of at most this many bytes. @default what the device binds */
  readonly maxPieceBytes?: number;
}

export interface ExecutorHooks {
  readonly signal?: AbortSignal;
  readonly onProgress?: (stage: "upload" | "compile", done: number, total: number) => void;
}

/** Positions that a windowed cache keeps beyond its window, so that as many tokens can be taken back. */
const SLACK = 64;
const SMALL_ROWS = 8;

/** What the plan of a model will be on a device with these capabilities. */
export function planFor(
  graph: Graph,
  file: GgufFile,
  gpu: Pick<Gpu, "capabilities">,
  options: GpuExecutorOptions,
): ModelPlan {
  const { capabilities } = gpu;
  const { limits } = capabilities;
  const tuning = { ...tuningFor(capabilities), ...options.tuning };
  const int8 = options.int8 === "on" || (options.int8 === "auto" && tuning.int8);
  const maxBinding = Math.min(limits["maxBufferSize"], limits["maxStorageBufferBindingSize"]);
  return planModel(graph, file, {
    contextLength: options.contextLength,
    maxSequences: options.maxSequences,
    typeK: options.cacheTypeK,
    typeV: options.cacheTypeV,
    chunk: options.chunk ?? (capabilities.software ? 64 : 512),
    slack: SLACK,
    tuning,
    int8: int8 && capabilities.packedDot,
    noFuse: options.noFuse ?? [],
    stepsInFlight: options.stepsInFlight ?? MOST_STEPS_IN_FLIGHT,
    maxPieceBytes: options.maxPieceBytes ?? maxBinding,
    maxBinding,
  });
}

export async function createGpuExecutor(
  graph: Graph,
  file: GgufFile,
  gpu: Gpu,
  options: GpuExecutorOptions,
  hooks: ExecutorHooks = {},
): Promise<GpuExecutor> {
  const model = planFor(graph, file, gpu, options);
  const buffers = new Buffers(gpu);
  try {
    const named = new Map<string, GPUBuffer>();
    const { storage, copyTarget, copySource } = BufferUsage;
    const usage = storage | copyTarget | copySource;
    for (const [name, bytes] of model.placement.buffers)
      named.set(name, buffers.allocate("weights", bytes, usage));
    for (const [name, bytes] of model.buffers)
      named.set(name, buffers.allocate(name, bytes, usage));
    named.set("tables", buffers.allocate("tables", quantTables().byteLength, usage));
    await buffers.settled();
    const { device } = gpu;
    const pipelines = new Pipelines(device);
    const { slopes, tables: ropes } = model.constants;
    // Shaders compile while weights stream in.
    const [vectors] = await Promise.all([
      loadWeights(
        device,
        named,
        model.placement,
        file,
        { names: ropes.flatMap(({ table }) => table.factors ?? []), extra: slopes.length },
        {
          signal: hooks.signal,
          onProgress: (done, total) => hooks.onProgress?.("upload", done, total),
          settle: async () => {
            await device.queue.onSubmittedWorkDone();
            gpu.check();
          },
        },
      ),
      pipelines.compile(
        model.plans.flatMap((p) => [...p.calls, ...p.drawing]),
        (done, total) => hooks.onProgress?.("compile", done, total),
      ),
    ]);
    vectors.small.set(slopes, model.placement.smallLength);
    if (vectors.small.length > 0) device.queue.writeBuffer(named.get("small")!, 0, vectors.small);
    device.queue.writeBuffer(named.get("tables")!, 0, quantTables());
    for (const { table, offset } of ropes) {
      const factors = table.factors === undefined ? undefined : vectors.named.get(table.factors);
      const angles = ropeAngles(table, options.contextLength, factors);
      device.queue.writeBuffer(named.get("angles")!, 8 * offset, angles);
    }
    const replays = model.plans.map((plan) => new Replay(plan, device, buffers, pipelines, named));
    const stepsInFlight = options.stepsInFlight ?? (await chooseStepsInFlight(device, buffers));
    await buffers.settled();
    gpu.check();
    return new GpuExecutor(graph, gpu, buffers, named, pipelines, model, replays, {
      ...options,
      stepsInFlight,
    });
  } catch (error) {
    buffers.disposeAll();
    throw error;
  }
}

/** A step that waits for its submit. */
interface Pending {
  readonly replay: Replay;
  readonly rows: readonly Row[];
  readonly outputs: number;
  readonly end: number;
  /** Draws behind that. */
  readonly draws: boolean;
  readonly sample: boolean;
  readonly read: boolean;
  readonly resolve: (result: { logits?: Float32Array; tokens?: Int32Array }) => void;
  readonly reject: (error: unknown) => void;
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
  /** Pipelines compiled. */
  readonly pipelineCount: number;
  readonly #graph: Graph;
  readonly #gpu: Gpu;
  readonly #named: ReadonlyMap<string, GPUBuffer>;
  readonly #replays: readonly Replay[];
  readonly #pages: PageTable;
  /** Slots of recurrent state, and what is known of their copies. */
  readonly #states: readonly StateLayout[];
  readonly #snapshots: Snapshots;
  readonly #slotBytes: number;
  readonly #words: Uint32Array<ArrayBuffer>;
  readonly #stepGroups = new Map<number, GPUBindGroup>();
  readonly #tables: GPUBindGroup;
  readonly #stagings = new Map<number, GPUBuffer[]>();
  readonly #layout: GPUBindGroupLayout;
  #pending: Pending[] = [];
  #scheduled = false;
  #tail: Promise<unknown> = Promise.resolve();
  #busy = 0;
  #filled = false;
  #disposed = false;

  constructor(
    graph: Graph,
    gpu: Gpu,
    buffers: Buffers,
    named: ReadonlyMap<string, GPUBuffer>,
    pipelines: Pipelines,
    model: ModelPlan,
    replays: readonly Replay[],
    options: GpuExecutorOptions & { readonly stepsInFlight: number },
  ) {
    this.#graph = graph;
    this.#gpu = gpu;
    this.buffers = buffers;
    this.#named = named;
    this.model = model;
    this.#replays = replays;
    this.adapter = gpu.capabilities.name;
    this.lost = gpu.lost;
    this.contextLength = options.contextLength;
    this.maxSequences = options.maxSequences;
    this.stepsInFlight = options.stepsInFlight;
    this.chunk = Math.max(...model.plans.map((p) => p.rowClass.rows));
    this.memory = model.memory;
    this.pipelineCount = pipelines.size;
    this.#pages = new PageTable(options.contextLength, options.maxSequences);
    this.#states = model.slots.filter((slot) => slot.kind === "state");
    this.#snapshots = new Snapshots(options.maxSequences, SMALL_ROWS);
    this.#slotBytes = slotBytes(SMALL_ROWS);
    this.#words = new Uint32Array(named.get("step")!.size / 4);
    this.#layout = pipelines.layouts.step;
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

  async fill(sequence: SequenceId, count: number): Promise<void> {
    this.reserve(sequence, count);
    for (let other = 0; other < this.maxSequences; other++)
      if (other !== sequence && this.length(other) > 0)
        throw new WebggufError("input/invalid", `Cannot fill the cache: sequence ${other} uses it`);
    const { queue } = this.#gpu.device;
    if (!this.#filled) {
      for (const slot of this.model.slots) {
        if (slot.kind !== "kv") continue;
        const noise = noiseRows(slot, PAGE);
        for (let at = 0; at < slot.bytes; at += noise.byteLength)
          queue.writeBuffer(this.#buffer(slot.buffer), at, noise);
      }
      this.#filled = true;
    }
    this.#pages.advance(sequence, count);
    await queue.onSubmittedWorkDone();
    this.#check();
  }

  async step(requests: readonly StepRequest[], signal?: AbortSignal): Promise<StepResult[]> {
    this.#check();
    signal?.throwIfAborted();
    const chunks = this.#cut(requests);
    if (chunks.length === 1 && this.#busy === 0)
      return this.#gather(requests, [await this.#enqueue(chunks[0])]);
    // A long prompt goes chunk by chunk, so that it can be stopped and never floods the device.
    this.#busy++;
    const before = this.#tail;
    let done: () => void = () => {};
    this.#tail = new Promise<void>((resolve) => (done = resolve));
    try {
      await before;
      const parts: ChunkResult[] = [];
      for (const chunk of chunks) {
        signal?.throwIfAborted();
        const part = this.#enqueue(chunk);
        this.#flush();
        parts.push(await part);
        if (!chunk.sample && !chunk.read) await this.#gpu.device.queue.onSubmittedWorkDone();
        this.#check();
      }
      return this.#gather(requests, parts);
    } finally {
      this.#busy--;
      done();
    }
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const waiting of this.#pending) waiting.reject(disposedError());
    this.#pending = [];
    this.buffers.disposeAll();
  }

  /** Rows of all requests in order, in chunks that a plan can take. Lengths advance here. */
  #cut(requests: readonly StepRequest[]): Chunk[] {
    const chunks: Chunk[] = [];
    const sample = requests.some((r) => r.sample);
    for (const request of requests) if (request.sample) checkSampling(request.sample);
    const draws = requests.some((r) => r.sample && r.sample.temperature > 0);
    const reads = requests.some((r) => r.read);
    const all = requests.some((r) => r.outputs === "all");
    const total = requests.reduce(
      (sum, r) => sum + (r.tokens === "sampled" ? 1 : r.tokens.length),
      0,
    );
    // Every output row is read or sampled for wide outputs in narrower chunks.
    const widest = this.#replays.at(-1)!.plan.rowClass;
    const limit =
      all && total > SMALL_ROWS
        ? widest.outputs > SMALL_ROWS
          ? widest.rows
          : SMALL_ROWS
        : this.chunk;
    let rows: Row[] = [];
    let outputs = 0;
    const close = (): void => {
      if (rows.length > 0) chunks.push({ rows, outputs, sample, draws, read: reads });
      rows = [];
      outputs = 0;
    };
    for (const request of requests) {
      const { sequence, tokens } = request;
      const start = this.#pages.length(sequence);
      const count = tokens === "sampled" ? 1 : tokens.length;
      if (count === 0) throw new WebggufError("input/invalid", "Cannot run a step without tokens");
      this.reserve(sequence, count);
      if (!this.#graph.causal && count > limit) {
        throw new WebggufError(
          "context/overflow",
          `Cannot take ${count} tokens: this model attends both ways, so a text must fit one chunk of ${limit} (-ub)`,
          { expected: limit, actual: count },
        );
      }
      for (let i = 0; i < count; i++) {
        const full = rows.length === limit || (!all && outputs === SMALL_ROWS);
        if (full || (!this.#graph.causal && i === 0 && rows.length + count > limit)) close();
        const token = tokens === "sampled" ? SAMPLED : Number(tokens[i]);
        if (
          token !== SAMPLED &&
          !(Number.isInteger(token) && token >= 0 && token < this.#graph.vocabulary)
        ) {
          throw new WebggufError(
            "input/invalid",
            `No token ${token}: the vocabulary has ${this.#graph.vocabulary}`,
            { expected: this.#graph.vocabulary, actual: token },
          );
        }
        const output = request.outputs === "all" || (request.outputs === "last" && i === count - 1);
        if (output) outputs++;
        rows.push({
          sequence,
          position: start + i,
          token,
          end: this.#graph.causal ? start + i + 1 : start + count,
          output,
          sampling: output ? request.sample : undefined,
        });
      }
      this.#pages.advance(sequence, count);
    }
    close();
    return chunks;
  }

  /** The results of the chunks, dealt out to the requests. */
  #gather(requests: readonly StepRequest[], parts: readonly ChunkResult[]): StepResult[] {
    const width = this.#graph.widths[this.#graph.output];
    const logits = parts.flatMap((p) => (p.logits ? [p.logits] : []));
    const tokens = parts.flatMap((p) => (p.tokens ? [...p.tokens] : []));
    const joined = logits.length === 1 ? logits[0] : join(logits);
    let at = 0;
    return requests.map((request) => {
      const count = request.tokens === "sampled" ? 1 : request.tokens.length;
      const outputs = request.outputs === "all" ? count : request.outputs === "last" ? 1 : 0;
      const from = at;
      at += outputs;
      return {
        ...(request.read ? { logits: joined.subarray(from * width, at * width) } : {}),
        ...(request.sample ? { tokens: Int32Array.from(tokens.slice(from, at)) } : {}),
      };
    });
  }

  #enqueue(chunk: Chunk): Promise<ChunkResult> {
    const { rows, outputs } = chunk;
    const replay = this.#replays.find(
      ({ plan }) => rows.length <= plan.rowClass.rows && outputs <= plan.rowClass.outputs,
    )!;
    const { plan } = replay;
    const draws = chunk.draws && outputs > 0;
    const greedy = chunk.sample && !draws;
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
    batch.forEach((step, i) => {
      encodeStep(this.#words.subarray(i * words, (i + 1) * words), step.rows, results);
      results += step.sample ? step.outputs : 0;
    });
    device.queue.writeBuffer(this.#buffer("step"), 0, this.#words, 0, batch.length * words);
    const encoder = device.createCommandEncoder();
    const group = this.#stepGroup(slot);
    const reads: { step: Pending; staging: GPUBuffer; bytes: number }[] = [];
    let pass: GPUComputePassEncoder | undefined;
    batch.forEach((step, i) => {
      if (!pass) {
        pass = encoder.beginComputePass();
        pass.setBindGroup(2, this.#tables);
      }
      pass.setBindGroup(0, group, [i * slot]);
      step.replay.encode(pass, step.end, step.draws, step.rows.length, step.outputs);
      const saved = this.#states.length === 0 ? [] : this.#save(step.rows);
      if (!step.read && saved.length === 0) return;
      pass.end();
      pass = undefined;
      for (const { sequence, index } of saved) this.#copyState(encoder, sequence, index, true);
      if (!step.read) return;
      const { output } = step.replay.plan;
      const bytes = 4 * output.stride * step.outputs;
      const staging = this.#staging(bytes);
      encoder.copyBufferToBuffer(this.#buffer(output.buffer), 4 * output.offset, staging, 0, bytes);
      reads.push({ step, staging, bytes });
    });
    pass?.end();
    const tokens = results > 0 ? this.#staging(4 * results) : undefined;
    if (tokens)
      encoder.copyBufferToBuffer(this.#buffer("sampled"), 4 * resultBase, tokens, 0, 4 * results);
    device.queue.submit([encoder.finish()]);
    void this.#deliver(batch, reads, tokens, results);
  }

  /** Copies of state that are due behind these rows. */
  #save(rows: readonly Row[]): { sequence: number; index: number }[] {
    return advances(rows).flatMap((advance) => {
      const index = this.#snapshots.advance(advance);
      return index === undefined ? [] : [{ sequence: advance.sequence, index }];
    });
  }

  /** Between the state of a sequence and copy `index` of it. */
  #copyState(encoder: GPUCommandEncoder, sequence: number, index: number, save: boolean): void {
    for (const slot of this.#states) {
      const bytes = 4 * slot.size;
      const [state, copy] = [slot.buffer, snapshotBuffer(slot, index)].map((n) => this.#buffer(n));
      const [source, target] = save ? [state, copy] : [copy, state];
      encoder.copyBufferToBuffer(source, sequence * bytes, target, sequence * bytes, bytes);
    }
  }

  /** Brings back the state of at most `length` rows; returns of how many. Without state that is no question. */
  #rewindState(sequence: SequenceId, length: number): number {
    if (this.#states.length === 0 || this.#disposed) return length;
    this.#flush();
    const { length: reached, restore } = this.#snapshots.rewind(sequence, length);
    if (restore !== undefined) {
      const encoder = this.#gpu.device.createCommandEncoder();
      this.#copyState(encoder, sequence, restore, false);
      this.#gpu.device.queue.submit([encoder.finish()]);
    }
    return reached;
  }

  async #deliver(
    batch: readonly Pending[],
    reads: readonly { step: Pending; staging: GPUBuffer; bytes: number }[],
    tokens: GPUBuffer | undefined,
    results: number,
  ): Promise<void> {
    try {
      const [sampled, ...outputs] = await Promise.all([
        tokens ? this.#bring(tokens, 4 * results) : undefined,
        ...reads.map((r) => this.#bring(r.staging, r.bytes)),
      ]);
      const ids = sampled ? new Int32Array(sampled) : undefined;
      let at = 0;
      for (const step of batch) {
        const index = reads.findIndex((r) => r.step === step);
        const logits =
          index < 0 ? undefined : this.#compact(new Float32Array(outputs[index]!), step);
        const count = step.sample ? step.outputs : 0;
        step.resolve({ logits, tokens: step.sample ? ids!.slice(at, at + count) : undefined });
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

  /** Reads a staging buffer and puts it back into the pool. */
  async #bring(staging: GPUBuffer, bytes: number): Promise<ArrayBuffer> {
    try {
      await staging.mapAsync(MapMode.read, 0, bytes);
    } catch (cause) {
      this.#check();
      throw new WebggufError(
        "device/lost",
        "Cannot read the result: the GPU went away; call model.restore()",
        { cause },
      );
    }
    // Some runtimes resolve the promise when the buffer was destroyed meanwhile.
    this.#check();
    const copy = staging.getMappedRange(0, bytes).slice(0);
    staging.unmap();
    this.#gpu.check();
    const pool = this.#stagings.get(staging.size);
    if (pool) pool.push(staging);
    else this.#stagings.set(staging.size, [staging]);
    return copy;
  }

  #staging(bytes: number): GPUBuffer {
    // Token reads share one size, whatever the number of steps.
    const size = bytes <= 1024 ? 1024 : Math.ceil(bytes / 65536) * 65536;
    return (
      this.#stagings.get(size)?.pop() ??
      this.buffers.allocate("staging", size, BufferUsage.mapRead | BufferUsage.copyTarget)
    );
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

interface Chunk {
  readonly rows: readonly Row[];
  readonly outputs: number;
  readonly sample: boolean;
  /** Not all of its samples are greedy. */
  readonly draws: boolean;
  readonly read: boolean;
}

interface ChunkResult {
  readonly logits?: Float32Array;
  readonly tokens?: Int32Array;
}

const disposedError = (): WebggufError =>
  new WebggufError("session/disposed", "Cannot use the model: it has been disposed");

function checkSampling({ temperature, topK }: DeviceSampling): void {
  if (temperature <= 0 || (topK >= 1 && topK <= MAX_DEVICE_TOP_K)) return;
  throw new WebggufError(
    "input/invalid",
    `Cannot draw among ${topK} candidates on the GPU: give a topK from 1 to ${MAX_DEVICE_TOP_K}, or sample from the logits`,
    { expected: MAX_DEVICE_TOP_K, actual: topK },
  );
}

function join(parts: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(parts.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
