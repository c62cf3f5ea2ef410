/**
 * Chunks on their way to the device. Small ones of the same moment share a submit, up to as many as
 * are worth keeping in flight; a large one goes in several, so that none keeps the device for long.
 */
import type { PageCopy, Pool } from "../graph/pool.ts";
import { PAGE } from "../graph/pool.ts";
import type { StepResult } from "../graph/requests.ts";
import { SMALL_ROWS } from "../graph/requests.ts";
import type { ModelPlan } from "../plan/model-plan.ts";
import { encodeStep, type Row, slotBytes } from "../plan/steps.ts";
import type { Buffers } from "../platform/buffers.ts";
import type { Chunk, SamplingKind } from "./chunks.ts";
import type { Pipelines } from "./pipelines.ts";
import type { Replay } from "./replay.ts";
import { type Awaiting, Results } from "./results.ts";
import { Slices } from "./slices.ts";
import { StateCopies } from "./state-copies.ts";

/** What chunks run on. */
export interface SubmitParts {
  readonly device: GPUDevice;
  readonly buffers: Buffers;
  readonly named: ReadonlyMap<string, GPUBuffer>;
  readonly pipelines: Pipelines;
  readonly model: ModelPlan;
  readonly pool: Pool;
  /** Of the model's plans, in the same order: from the smallest to the largest. */
  readonly replays: readonly Replay[];
  /** Chunks of a submit at most. */
  readonly stepsInFlight: number;
}

/** A chunk that waits for its submit, and then for its results. */
interface Pending extends Awaiting {
  readonly rows: readonly Row[];
  readonly replay: Replay;
  /** Calls of the plan that it needs: [0, end), then those of `sampling`. */
  readonly end: number;
  readonly sampling: SamplingKind;
  readonly given?: readonly Float32Array[];
  readonly prompt: boolean;
}

/** Whether a step may share its submit: given rows are written between two of its calls. */
const isSmall = ({ rows, given, prompt }: Pick<Pending, "rows" | "given" | "prompt">): boolean =>
  rows.length <= SMALL_ROWS && !given && !prompt;

export class Submitter {
  readonly #parts: SubmitParts;
  readonly #check: () => void;
  readonly #results: Results;
  readonly #states: StateCopies;
  readonly #slices = new Slices();
  /** Of the step buffer: a slot for each chunk of a submit. */
  readonly #words: Uint32Array<ArrayBuffer>;
  readonly #slotGroups = new Map<number, GPUBindGroup>();
  readonly #tables: GPUBindGroup | undefined;
  #pending: Pending[] = [];
  #scheduled = false;

  /** `check` throws when the device or its owner is gone. */
  constructor(parts: SubmitParts, check: () => void) {
    const { device, buffers, named, pipelines, model, pool } = parts;
    const { maxSequences } = model.settings;
    this.#parts = parts;
    this.#check = check;
    this.#results = new Results(device, buffers, named, maxSequences, check);
    const states = model.slots.filter((slot) => slot.kind === "state");
    this.#states = new StateCopies(states, named, pool, maxSequences, SMALL_ROWS);
    this.#words = new Uint32Array(named.get("step")!.size / 4);
    const tables = named.get("tables");
    this.#tables = tables && pipelines.tablesGroup(tables);
  }

  /** Submits a chunk now or, if it is small, with others of this moment; resolves with its results. */
  add(chunk: Chunk): Promise<StepResult> {
    const { rows, outputs, given } = chunk;
    const replay = this.#replayFor(chunk);
    const { plan } = replay;
    const sampling = outputs > 0 ? chunk.sampling : "greedy";
    const sample = chunk.sample && outputs > 0;
    const greedy = chunk.sample && sampling === "greedy";
    const end = outputs === 0 ? plan.bodyLength : greedy ? plan.calls.length : plan.outputLength;
    return new Promise((resolve, reject) => {
      const read = chunk.read && outputs > 0;
      const { output } = plan;
      const what = { rows, given, prompt: chunk.prompt, outputs, end, sampling, sample, read };
      const step = { ...what, replay, output, resolve, reject };
      this.#pending.push(step);
      const waits = isSmall(chunk) && !chunk.read;
      if (!waits || this.#pending.length >= this.#parts.stepsInFlight) this.flush();
      else if (!this.#scheduled) {
        this.#scheduled = true;
        queueMicrotask(() => this.flush());
      }
    });
  }

  /** Submits all that is pending: one write, one command buffer, one copy back for each submit. */
  flush(): void {
    this.#scheduled = false;
    while (this.#pending.length > 0) {
      let count = 1;
      if (isSmall(this.#pending[0]))
        while (
          count < this.#pending.length &&
          count < this.#parts.stepsInFlight &&
          isSmall(this.#pending[count])
        )
          count++;
      const batch = this.#pending.splice(0, count);
      try {
        this.#submit(batch);
      } catch (error) {
        for (const step of batch) step.reject(error);
      }
    }
  }

  /** Refuses all that is pending. */
  refuse(error: unknown): void {
    for (const step of this.#pending) step.reject(error);
    this.#pending = [];
  }

  /** Brings back the recurrent state of at most `length` rows; returns of how many. Without state that is no question. */
  rewindState(sequence: number, length: number): number {
    if (!this.#states.any) return length;
    this.flush();
    const { length: reached, restore } = this.#parts.pool.rewindState(sequence, length);
    this.move([], sequence, restore);
    return reached;
  }

  /** Copies pages, and brings back a copy of a sequence's state unless `restore` is -1, behind all that is pending. */
  move(copies: readonly PageCopy[], sequence: number, restore: number): void {
    if (copies.length === 0 && restore < 0) return;
    this.flush();
    const { device, model } = this.#parts;
    const encoder = device.createCommandEncoder();
    for (const { kind, from, to } of copies)
      for (const slot of model.slots) {
        if (slot.kind !== "kv" || slot.pageKind !== kind) continue;
        const slab = this.#buffer(slot.buffer);
        const bytes = 4 * PAGE * slot.rowWords;
        const page = this.#buffer("page");
        encoder.copyBufferToBuffer(slab, from * bytes, page, 0, bytes);
        encoder.copyBufferToBuffer(page, 0, slab, to * bytes, bytes);
      }
    if (restore >= 0) this.#states.restore(encoder, sequence, restore);
    device.queue.submit([encoder.finish()]);
  }

  /** Copies the state that a sequence was given with its rows. */
  keepState(sequence: number, length: number): void {
    if (!this.#states.any) return;
    const { device, pool } = this.#parts;
    pool.computed(sequence, length);
    const encoder = device.createCommandEncoder();
    this.#states.save(encoder, { sequence, copy: pool.copyState(sequence, length, true) });
    device.queue.submit([encoder.finish()]);
  }

  /** The smallest plan that holds a chunk; those of prompts are not of a small step. */
  #replayFor({ rows, outputs, prompt }: Chunk): Replay {
    const { replays } = this.#parts;
    let i = 0;
    for (; i < replays.length - 1; i++) {
      const { rowClass } = replays[i].plan;
      if (prompt && rowClass.rows <= SMALL_ROWS) continue;
      if (rows.length <= rowClass.rows && outputs <= rowClass.outputs) break;
    }
    return replays[i];
  }

  #submit(batch: readonly Pending[]): void {
    this.#check();
    const { device } = this.#parts;
    const small = isSmall(batch[0]);
    const slot = slotBytes(small ? SMALL_ROWS : batch[0].rows.length);
    const words = slot / 4;
    let results = 0;
    for (let i = 0; i < batch.length; i++) {
      encodeStep(this.#words, i * words, batch[i].rows, results);
      results += batch[i].sample ? batch[i].outputs : 0;
    }
    device.queue.writeBuffer(this.#buffer("step"), 0, this.#words, 0, batch.length * words);
    const group = this.#slotGroup(slot);
    const start = small ? 0 : this.#submitSlices(batch[0], group);
    const encoder = device.createCommandEncoder();
    const rows: ReturnType<Results["copyRows"]>[] = [];
    let pass: GPUComputePassEncoder | undefined;
    for (let i = 0; i < batch.length; i++) {
      const step = batch[i];
      if (!pass) {
        pass = encoder.beginComputePass();
        if (this.#tables) pass.setBindGroup(2, this.#tables);
      }
      pass.setBindGroup(0, group, [i * slot]);
      step.replay.encode(pass, step, start);
      const saved = this.#states.due(step.rows);
      if (!step.read && saved.length === 0) continue;
      pass.end();
      pass = undefined;
      for (const copy of saved) this.#states.save(encoder, copy);
      if (step.read) rows.push(this.#results.copyRows(encoder, step));
    }
    pass?.end();
    const tokens = results > 0 ? this.#results.copyTokens(encoder, results) : undefined;
    device.queue.submit([encoder.finish()]);
    if (!small) this.#time();
    void this.#results.deliver(batch, rows, tokens);
  }

  /** Submits all but the last slice of a chunk; returns the first call that is left. */
  #submitSlices(step: Pending, group: GPUBindGroup): number {
    const calls = Math.ceil(step.end / this.#slices.count);
    let start = step.given ? this.#submitGiven(step, group, step.given) : 0;
    for (; start + calls < step.end; start += calls)
      this.#submitCalls(step, group, start, start + calls);
    return start;
  }

  /** Submits the calls that make what given rows take the place of, and writes these over it; returns the next call. */
  #submitGiven(step: Pending, group: GPUBindGroup, given: NonNullable<Pending["given"]>): number {
    const { place, after } = step.replay.plan.given!;
    this.#submitCalls(step, group, 0, after);
    step.rows.forEach((row, r) => {
      if (row.given === undefined) return;
      const vector = Float32Array.from(given[row.given]);
      const at = 4 * (place.offset + r * place.stride);
      this.#parts.device.queue.writeBuffer(this.#buffer(place.buffer), at, vector);
    });
    return after;
  }

  #submitCalls(step: Pending, group: GPUBindGroup, start: number, end: number): void {
    const { device } = this.#parts;
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    if (this.#tables) pass.setBindGroup(2, this.#tables);
    pass.setBindGroup(0, group, [0]);
    step.replay.encode(pass, { ...step, end, sampling: "greedy" }, start);
    pass.end();
    device.queue.submit([encoder.finish()]);
  }

  /** Learns from the chunk that was just submitted into how many slices the next one is divided. */
  #time(): void {
    const { count } = this.#slices;
    const started = performance.now();
    const learn = (): void => this.#slices.done(count, started, performance.now());
    this.#parts.device.queue.onSubmittedWorkDone().then(learn, () => {});
  }

  /** The step buffer and the page table, for slots of that many bytes. */
  #slotGroup(slot: number): GPUBindGroup {
    let group = this.#slotGroups.get(slot);
    if (!group) {
      const { pipelines } = this.#parts;
      group = pipelines.stepGroup(this.#buffer("step"), slot, this.#buffer("pages"));
      this.#slotGroups.set(slot, group);
    }
    return group;
  }

  #buffer(name: string): GPUBuffer {
    return this.#parts.named.get(name)!;
  }
}
