/** What running a file would allocate, told before anything is allocated. */
import { platform } from "#platform";
import { WebggufError } from "../base/errors.ts";
import { checkOptions, rule } from "../base/options.ts";
import { Metadata } from "../file/metadata.ts";
import type { ModelFile } from "../file/types.ts";
import { buildGraph } from "../models/index.ts";
import { type ModelPlan, planFor } from "../plan/model-plan.ts";
import type { Capabilities } from "../platform/capabilities.ts";
import type { Device } from "./backends.ts";
import { contextFor } from "./model.ts";
import { memoryOf } from "./open.ts";
import { loadRules } from "./options.ts";
import type { LoadOptions } from "./types.ts";

export interface MemoryReport {
  /** Bytes by owner. */
  readonly owners: { readonly weights: number; readonly cache: number; readonly arena: number };
  readonly total: number;
  readonly contextLength: number;
  /** The adapter that this is planned for. */
  readonly adapter: string;
  /** Whether the device's limits, and its memory where it is known, allow it. */
  readonly fits: boolean;
  /** The longest context that fits, at most the model's own; 0 = none. */
  readonly largestContext: number;
  /** The same in words. */
  readonly verdict: string;
}

/** WebGPU's default limits: what every adapter has. */
const DEFAULTS: Capabilities = {
  name: "WebGPU's default limits (no adapter here)",
  vendor: "",
  architecture: "",
  software: false,
  f16: false,
  subgroups: false,
  subgroupMinSize: 0,
  subgroupMaxSize: 0,
  packedDot: false,
  timestamps: false,
  limits: { maxBufferSize: 256 << 20, maxStorageBufferBindingSize: 128 << 20 },
  features: [],
};

/** What plans are made of. */
function checkPlanned(file: ModelFile, options: LoadOptions): void {
  checkOptions(options, loadRules);
  rule("what readGguf gives", (one) => Object(one).metadata instanceof Metadata)(file, "the file");
}

/** The plan of a file on the adapter at hand, with `options` as for loading. Reads no tensor data. */
export async function planOf(
  file: ModelFile,
  options: LoadOptions = {},
): Promise<{ plan: ModelPlan; contextLength: number; capabilities: Capabilities }> {
  checkPlanned(file, options);
  const capabilities = await capabilitiesFor(options.device);
  const contextLength = contextFor(file, options.contextLength);
  return {
    plan: makePlan(file, options, contextLength, capabilities),
    contextLength,
    capabilities,
  };
}

/** See {@link MemoryReport}; `options` as for loading. */
export async function memoryNeeded(
  file: ModelFile,
  options: LoadOptions = {},
): Promise<MemoryReport> {
  checkPlanned(file, options);
  const { name, needs, ...device } = await pathFor(file, options);
  const budget = await memoryOf(device);
  const sum = ({ weights, cache, arena }: MemoryReport["owners"]): number =>
    weights + cache + arena;
  const fitsAt = (context: number): boolean => {
    try {
      return sum(needs(context)) <= budget;
    } catch (error) {
      if (error instanceof WebggufError && error.code === "device/limit") return false;
      throw error;
    }
  };
  const contextLength = contextFor(file, options.contextLength);
  const owners = needs(contextLength);
  const total = sum(owners);
  const fits = total <= budget;
  const largestContext = largest(contextFor(file, 0), fitsAt);
  const limits = device.kind === "cpu" ? "" : "its limits";
  const known =
    budget === Number.POSITIVE_INFINITY
      ? `${limits || "what is known"} (its memory is not told here)`
      : [limits, `memory of ${(budget / 2 ** 30).toPrecision(3)} GiB`]
          .filter(Boolean)
          .join(" and ");
  const verdict =
    `${fits ? "fits" : "does not fit"} ${name} by ${known}` +
    (fits && largestContext <= contextLength
      ? "" // as long as the model's own or longer
      : `; ${largestContext > 0 ? `the largest context that does is ${largestContext}` : "no context does"}`);
  return { owners, total, contextLength, adapter: name, fits, largestContext, verdict };
}

/** Where loading would compute the file, and what it would take there for a context. */
interface Path extends Pick<Device, "kind" | "software"> {
  readonly name: string;
  needs(contextLength: number): MemoryReport["owners"];
}

async function pathFor(file: ModelFile, options: LoadOptions): Promise<Path> {
  const { device = "auto" } = options;
  const capabilities = device === "cpu" ? DEFAULTS : await capabilitiesFor(device);
  if (device === "cpu" || (device === "auto" && capabilities === DEFAULTS)) {
    const { openCpu } = await import("../cpu/open.ts");
    const { name, memory } = await openCpu();
    return {
      kind: "cpu",
      software: false,
      name,
      needs: (contextLength) =>
        memory(buildGraph(file, { contextLength }), file, { ...options, contextLength }),
    };
  }
  return {
    kind: "gpu",
    software: capabilities.software,
    name: capabilities.name,
    needs: (contextLength) => makePlan(file, options, contextLength, capabilities).memory,
  };
}

async function capabilitiesFor(device: string | undefined): Promise<Capabilities> {
  const named =
    device === undefined || ["auto", "gpu", "cpu"].includes(device) ? {} : { name: device };
  try {
    const gpu = await platform.openGpu(named);
    gpu.dispose();
    return gpu.capabilities;
  } catch (error) {
    if (error instanceof WebggufError && error.code === "device/no-adapter" && !named.name)
      return DEFAULTS;
    throw error;
  }
}

function makePlan(
  file: ModelFile,
  options: LoadOptions,
  contextLength: number,
  capabilities: Capabilities,
): ModelPlan {
  const graph = buildGraph(file, { contextLength });
  return planFor(graph, file, { capabilities }, { ...options, contextLength });
}

/** The largest context up to `most` for which `fits` holds, in steps of 32 (a page); 0 if none. */
export function largest(most: number, fits: (context: number) => boolean): number {
  if (fits(most)) return most;
  let [low, high] = [0, Math.floor(most / 32)];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (fits(middle * 32)) low = middle;
    else high = middle - 1;
  }
  return low * 32;
}
