/** A plan on a device: pipelines and bind groups made once, then encoded again and again. */
import { encodeParams, OUTPUT_ROWS } from "../kernels/call.ts";
import type { Plan } from "../plan/plan.ts";
import { type Buffers, BufferUsage } from "../platform/buffers.ts";
import type { SamplingKind } from "./chunks.ts";
import type { Pipelines } from "./pipelines.ts";

const PARAMS_ALIGN = 256;

/** What of a plan a step runs. */
export interface EncodedStep {
  readonly rows: { readonly length: number };
  /** Rows that have an output. */
  readonly outputs: number;
  /** Calls of the plan's list end here. */
  readonly end: number;
  /** How tokens are sampled behind them; greedily by the list itself. */
  readonly sampling: SamplingKind;
}

/** Flat arrays: what encoding a step reads, and nothing else. */
export class Replay {
  readonly plan: Plan;
  readonly #pipelines: GPUComputePipeline[];
  readonly #groups: GPUBindGroup[];
  /** x, y, z of each call for the row counts of the latest step. */
  readonly #grids: Uint32Array;
  #rows = -1;
  #outputs = -1;
  readonly #params: GPUBuffer;
  readonly #buffers: Buffers;

  constructor(
    plan: Plan,
    device: GPUDevice,
    buffers: Buffers,
    pipelines: Pipelines,
    named: ReadonlyMap<string, GPUBuffer>,
  ) {
    this.plan = plan;
    this.#buffers = buffers;
    const calls = [...plan.calls, ...plan.sampling];
    const bytes = new Uint8Array(PARAMS_ALIGN * calls.length);
    calls.forEach((call, i) => bytes.set(encodeParams(call), PARAMS_ALIGN * i));
    this.#params = buffers.allocate(
      "params",
      bytes.length,
      BufferUsage.uniform | BufferUsage.copyTarget,
    );
    device.queue.writeBuffer(this.#params, 0, bytes);
    this.#pipelines = calls.map((call) => pipelines.get(call));
    this.#grids = new Uint32Array(3 * calls.length);
    this.#groups = calls.map((call, i) => {
      const entries: GPUBindGroupEntry[] = [
        {
          binding: 0,
          resource: {
            buffer: this.#params,
            offset: PARAMS_ALIGN * i,
            size: encodeParams(call).length,
          },
        },
      ];
      call.bindings.forEach((b, j) => {
        const buffer = named.get(b.buffer);
        if (!buffer) throw new Error(`plan: no buffer "${b.buffer}" for ${call.label}`);
        entries.push({
          binding: j + 1,
          resource: { buffer, offset: b.offset, size: b.size || undefined },
        });
      });
      return device.createBindGroup({
        label: call.label,
        layout: pipelines.groupLayout(call),
        entries,
      });
    });
  }

  /** Encodes calls [start, end) of a step and those of its sampling; groups 0 and 2 are set by the caller. */
  encode(pass: GPUComputePassEncoder, step: EncodedStep, start = 0): void {
    const { end, sampling, outputs } = step;
    const rows = step.rows.length;
    if (rows !== this.#rows || outputs !== this.#outputs) this.#setGrids(rows, outputs);
    this.#range(pass, start, end);
    if (sampling === "greedy") return;
    const first = this.plan.calls.length + (sampling === "penalized" ? 0 : 1);
    this.#range(pass, first, this.#pipelines.length);
  }

  #range(pass: GPUComputePassEncoder, start: number, end: number): void {
    const pipelines = this.#pipelines;
    const groups = this.#groups;
    const grids = this.#grids;
    let last: GPUComputePipeline | undefined;
    for (let i = start; i < end; i++) {
      const pipeline = pipelines[i];
      if (pipeline !== last) pass.setPipeline(pipeline);
      last = pipeline;
      pass.setBindGroup(1, groups[i]);
      pass.dispatchWorkgroups(grids[3 * i], grids[3 * i + 1], grids[3 * i + 2]);
    }
  }

  #setGrids(rows: number, outputs: number): void {
    this.#rows = rows;
    this.#outputs = outputs;
    [...this.plan.calls, ...this.plan.sampling].forEach(({ grid }, i) => {
      this.#grids.set([grid.x, grid.y, grid.z], 3 * i);
      if (grid.rows === undefined) return;
      const count = Math.ceil((grid.domain === OUTPUT_ROWS ? outputs : rows) / grid.tile);
      this.#grids[3 * i + "xyz".indexOf(grid.rows)] = count;
    });
  }

  dispose(): void {
    this.#buffers.free(this.#params);
  }
}
