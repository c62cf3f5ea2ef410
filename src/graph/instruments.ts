/** What can be measured of a device and of a loaded model. Benchmarks and tests ask for it; sessions never do. */
import type { Capabilities } from "../platform/capabilities.ts";

/** Calls to WebGPU. */
export interface CallCounts {
  readonly dispatches: number;
  readonly submits: number;
  readonly createBuffer: number;
  readonly createBindGroup: number;
  readonly writeBuffer: number;
  /** Bytes of buffers mapped for reading. */
  readonly bytesRead: number;
}

/** Of a device, whatever is loaded on it. */
export interface DeviceInstruments {
  readonly capabilities: Capabilities;
  /** Bytes a second that a copy kernel moves, read and written bytes counted. Allocates 256 MiB meanwhile. */
  copyBandwidth(): Promise<number>;
  /** Counts the calls made while `work` runs, on every device of the process or page. */
  countCalls(work: () => Promise<unknown>): Promise<CallCounts>;
  /** Milliseconds that the host spends on each submit of `work`, the writes before it included. */
  timeSubmits(work: () => Promise<unknown>): Promise<readonly number[]>;
}

/** Bytes read by a step of one row; intermediate results stay in caches and do not count. */
export interface Traffic {
  /** By the plan: the sum over its dispatches. */
  readonly planned: number;
  /** Matrices that the graph multiplies with, once each; of experts those in use. */
  readonly weights: number;
  /** Keys and values of the positions attended to, once for each attention. */
  readonly cache: number;
}

/** A dispatch of a decode step and its time on the device. */
export interface TimedCall {
  readonly step: number;
  /** -1 outside the layers. */
  readonly layer: number;
  readonly op: string;
  readonly kernel: string;
  readonly variant: string;
  /** Bytes of weights that it reads. */
  readonly bytes: number;
  /** Mean of the steps measured. */
  readonly nanoseconds: number;
}

/** Of the plans that a device replays. */
export interface PlanInstruments {
  /** Pipelines that the plans use. */
  readonly pipelines: number;
  /** What a decode step reads with `positions` rows in the cache, its own included. */
  traffic(positions: number): Traffic;
  /**
   * Times each dispatch of a decode step: the mean of `steps` steps after one that does not count. The sequence
   * grows by `steps` + 1 rows. `device/limit` where the device has no time stamps.
   */
  profile(sequence: number, steps: number): Promise<readonly TimedCall[]>;
}

/** Of a loaded model. */
export interface Instruments {
  /**
   * Appends `count` rows of small random keys and values that nobody computed, for measuring steps at a depth;
   * recurrent state stays as it is. All steps must be done, and no other sequence may hold rows. Errors as for a step.
   */
  fill(sequence: number, count: number): Promise<void>;
  /** Bytes allocated at the moment, by owner. */
  memory(): Readonly<Record<string, number>>;
  /** Undefined where the host computes without a plan. */
  readonly plan?: PlanInstruments;
}
