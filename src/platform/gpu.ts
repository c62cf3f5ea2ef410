/** From an adapter to an open device: limits, features, the capability record, loss and errors. */
import { WebggufError } from "../base/errors.ts";
import type { Capabilities, Gpu } from "./types.ts";

/** Features that some kernel variant or the profiler uses. */
const usefulFeatures = ["shader-f16", "subgroups", "timestamp-query"] as const;

/** Limits that compute work meets; each is asked for at the adapter's best value. */
const usefulLimits = [
  "maxBindGroups",
  "maxBindingsPerBindGroup",
  "maxBufferSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupSizeY",
  "maxComputeWorkgroupSizeZ",
  "maxComputeWorkgroupStorageSize",
  "maxComputeWorkgroupsPerDimension",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxUniformBufferBindingSize",
  "maxUniformBuffersPerShaderStage",
  "minStorageBufferOffsetAlignment",
  "minUniformBufferOffsetAlignment",
] as const satisfies readonly (keyof GPUSupportedLimits)[];

/** Names under which programs that compute on the CPU present themselves as adapters. */
const softwareNames = /swiftshader|llvmpipe|lavapipe|softpipe|basic render|\bwarp\b/i;

/**
 * The adapter's own name. Runtimes disagree on where it stands: wgpu puts it into `description`,
 * Dawn a sanitised form into `device`, browsers often show the vendor alone.
 */
function nameOf(info: GPUAdapterInfo): string {
  const vendor = [info.vendor, info.architecture].filter((part) => part !== "").join(" ");
  return info.description || vendor || "unnamed adapter";
}

/** Whether the adapter is a program on the CPU. */
export function isSoftware(info: GPUAdapterInfo): boolean {
  return (
    info.isFallbackAdapter === true ||
    softwareNames.test(`${info.description} ${info.device} ${info.architecture}`)
  );
}

function numbers(limits: GPUSupportedLimits): Record<string, number> {
  const found: Record<string, number> = {};
  for (const name of usefulLimits) {
    const value = limits[name];
    // A runtime may not know a limit yet.
    if (typeof value === "number") found[name] = value;
  }
  return found;
}

function describe(
  gpu: GPU,
  adapter: GPUAdapter,
  device: GPUDevice,
  name: string | undefined,
): Capabilities {
  const info = adapter.info;
  const subgroups = device.features.has("subgroups");
  return Object.freeze({
    name: name ?? nameOf(info),
    vendor: info.vendor,
    architecture: info.architecture,
    software: isSoftware(info),
    f16: device.features.has("shader-f16"),
    subgroups,
    subgroupMinSize: subgroups ? (info.subgroupMinSize ?? 4) : 0,
    subgroupMaxSize: subgroups ? (info.subgroupMaxSize ?? 128) : 0,
    packedDot: gpu.wgslLanguageFeatures?.has("packed_4x8_integer_dot_product") ?? false,
    timestamps: device.features.has("timestamp-query"),
    limits: Object.freeze(numbers(device.limits)),
    features: Object.freeze([...adapter.features].sort()),
  });
}

/** The typed error for what WebGPU reported. Its classes are told by name: Node has no globals for them. */
export function typedError(error: GPUError): WebggufError {
  const kind = error.constructor.name;
  const text = error.message.split("\n", 1)[0] ?? "";
  if (kind === "GPUOutOfMemoryError") {
    return new WebggufError(
      "device/out-of-memory",
      `Cannot allocate memory on the GPU: it refused (${text}); use a smaller model, context or cache type`,
    );
  }
  return new WebggufError(
    "device/validation",
    `Cannot compute on the GPU: it reported ${text}; please report this with the model and adapter`,
    { actual: error.message },
  );
}

/**
 * Opens a device on `adapter` with its best limits and the features the engine can use.
 * `name` overrides the name that the adapter's info gives. `device/no-adapter` if it refuses.
 */
export async function openDevice(gpu: GPU, adapter: GPUAdapter, name?: string): Promise<Gpu> {
  let device: GPUDevice;
  try {
    device = await adapter.requestDevice({
      label: "webgguf",
      requiredLimits: numbers(adapter.limits),
      requiredFeatures: usefulFeatures.filter((feature) => adapter.features.has(feature)),
    });
  } catch (cause) {
    throw new WebggufError(
      "device/no-adapter",
      `Cannot open the GPU ${name ?? nameOf(adapter.info)}: it gave no device; update its driver or use another`,
      { cause },
    );
  }
  const capabilities = describe(gpu, adapter, device, name);

  let firstError: GPUError | undefined;
  device.addEventListener("uncapturederror", (event) => {
    event.preventDefault();
    firstError ??= event.error;
  });

  let lostReason: string | undefined;
  let disposed: (reason: string) => void = () => {};
  const lost = Promise.race([
    device.lost.then(({ reason, message }) => message || reason),
    new Promise<string>((resolve) => {
      disposed = resolve;
    }),
  ]).then((reason) => {
    lostReason ??= reason;
    return lostReason;
  });

  return {
    device,
    capabilities,
    lost,
    check(): void {
      if (lostReason !== undefined) {
        throw new WebggufError(
          "device/lost",
          `Cannot compute on the GPU: it went away (${lostReason}); load the model again or use the CPU`,
        );
      }
      const error = firstError;
      firstError = undefined;
      if (error !== undefined) throw typedError(error);
    },
    dispose(): void {
      if (lostReason !== undefined) return;
      lostReason = "disposed";
      disposed(lostReason);
      device.destroy();
    },
  };
}

/**
 * openGpu for runtimes that have `navigator.gpu`. Adapters there cannot be listed, only asked for
 * by preference: `name` must be part of the name of one of those.
 */
export async function openNavigatorGpu(
  gpu: GPU | undefined,
  help: string,
  name: string | undefined,
): Promise<Gpu> {
  if (gpu === undefined) {
    throw new WebggufError(
      "device/no-adapter",
      `Cannot use a GPU: there is no WebGPU here; ${help}`,
    );
  }
  const seen: string[] = [];
  for (const adapter of await adapters(gpu)) {
    const found = nameOf(adapter.info);
    if (name === undefined || matches(found, name)) return openDevice(gpu, adapter);
    seen.push(found);
  }
  if (name !== undefined && seen.length > 0) throw noSuchAdapter(name, [...new Set(seen)]);
  throw new WebggufError("device/no-adapter", `Cannot use a GPU: no adapter was found; ${help}`);
}

/** Names of what {@link openNavigatorGpu} can open. */
export async function listNavigatorAdapters(gpu: GPU | undefined): Promise<readonly string[]> {
  if (gpu === undefined) return [];
  return [...new Set((await adapters(gpu)).map((adapter) => nameOf(adapter.info)))];
}

async function adapters(gpu: GPU): Promise<GPUAdapter[]> {
  const found: GPUAdapter[] = [];
  for (const powerPreference of ["high-performance", "low-power"] as const) {
    const adapter = await gpu.requestAdapter({ powerPreference });
    if (adapter !== null) found.push(adapter);
  }
  return found;
}

/** Whether an adapter's name is meant by a part of it. */
export function matches(name: string, part: string): boolean {
  return name.toLowerCase().includes(part.toLowerCase());
}

/** The error for a name that no adapter has. */
export function noSuchAdapter(name: string, seen: readonly string[]): WebggufError {
  return new WebggufError(
    "device/no-adapter",
    `Cannot use the GPU "${name}": no adapter has that name; choose one of ${seen.map((one) => `"${one}"`).join(", ")}`,
    { expected: name, actual: seen },
  );
}
