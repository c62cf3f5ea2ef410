/** How a model is computed on a device: everything that is decided before its plans are made. */
import type { CacheType, ComputeOptions } from "../graph/settings.ts";
import type { Capabilities } from "../platform/capabilities.ts";
import { tuningFor } from "./tuning.ts";
import type { DeviceTuning, Tuning } from "./tuning-types.ts";

/** What may be said; {@link resolveSettings} decides the rest. */
export interface PlanOptions extends ComputeOptions {
  /** Steps that share one submit. @default chosen by how long results take to come back */
  readonly stepsInFlight?: number;
  /** Activations as signed bytes where the language has packed products; `auto` = where they are faster. @default "off" */
  readonly int8?: "auto" | "on" | "off";
  /** Fusions switched off, by name. @default none */
  readonly noFuse?: readonly string[];
  /** What was measured, on this adapter or others; only what fits the adapter counts. */
  readonly tuning?: readonly DeviceTuning[];
  /** Weights are split into pieces of at most this many bytes. @default what the device binds */
  readonly maxPieceBytes?: number;
}

export interface Settings {
  readonly contextLength: number;
  readonly maxSequences: number;
  readonly cacheTypeK: CacheType;
  readonly cacheTypeV: CacheType;
  /** Rows of the largest step: a cache's window must survive a whole chunk being written. */
  readonly chunk: number;
  /** Positions that a windowed cache keeps beyond its window, so that as many tokens can be taken back. */
  readonly slack: number;
  /** Steps that may share a submit, at most. */
  readonly stepsInFlight: number;
  /** Whether linear maps take activations of signed bytes where the weights' type has them. */
  readonly int8: boolean;
  readonly noFuse: readonly string[];
  readonly tuning: Tuning;
  /** Largest piece of weights, and largest buffer of any kind, that can be bound; bytes. */
  readonly maxPieceBytes: number;
  readonly maxBinding: number;
}

/** Steps that may share a submit at the most; more would only be thrown away at the end of an answer. */
export const MOST_STEPS_IN_FLIGHT = 8;

const SLACK = 64;

/** Decides what the options leave open, for a device with these capabilities. */
export function resolveSettings(options: PlanOptions, capabilities: Capabilities): Settings {
  const { limits, name, packedDot, software } = capabilities;
  const measured = options.tuning?.find(({ adapter }) => adapter === name);
  const tuning = { ...tuningFor(capabilities), ...measured };
  const wanted = options.int8 === "on" || (options.int8 === "auto" && tuning.int8);
  const int8 = wanted && packedDot;
  // Signed bytes are made by a kernel of their own, which takes the norm in.
  const apart = [
    ...(tuning.fuseNorm || int8 ? [] : ["norm"]),
    ...(tuning.fuseStore ? [] : ["append"]),
  ];
  const maxBinding = Math.min(limits["maxBufferSize"], limits["maxStorageBufferBindingSize"]);
  return {
    contextLength: options.contextLength,
    maxSequences: options.maxSequences ?? 1,
    cacheTypeK: options.cacheTypeK ?? "f16",
    cacheTypeV: options.cacheTypeV ?? "f16",
    chunk: options.chunk ?? (software ? 64 : 512),
    slack: SLACK,
    stepsInFlight: options.stepsInFlight ?? MOST_STEPS_IN_FLIGHT,
    int8,
    noFuse: [...(options.noFuse ?? []), ...apart],
    tuning,
    maxPieceBytes: options.maxPieceBytes ?? maxBinding,
    maxBinding,
  };
}
