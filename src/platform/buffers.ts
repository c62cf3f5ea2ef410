/** The only place where GPU memory is allocated and counted. */
import { WebggufError } from "../base/errors.ts";
import { typedError } from "./gpu.ts";
import type { Capabilities } from "./types.ts";

/** WebGPU's usage bits; Node has no globals for them. */
export const BufferUsage = {
  mapRead: 0x0001,
  mapWrite: 0x0002,
  copySource: 0x0004,
  copyTarget: 0x0008,
  uniform: 0x0040,
  storage: 0x0080,
  indirect: 0x0100,
  queryResolve: 0x0200,
} as const;

/** WebGPU's map mode bits. */
export const MapMode = { read: 0x0001, write: 0x0002 } as const;

interface Entry {
  readonly label: string;
  readonly bytes: number;
}

/** What allocation must know of a device; the device's own limit counts where none is told. */
export interface BufferDevice {
  readonly device: GPUDevice;
  readonly capabilities: Pick<Capabilities, "name" | "limits">;
}

/** Allocates, counts and frees the buffers of one device. */
export class Buffers {
  readonly #gpu: BufferDevice;
  readonly #entries = new Map<GPUBuffer, Entry>();
  #bytes = 0;
  #refused: Promise<WebggufError | undefined>[] = [];

  constructor(gpu: BufferDevice) {
    this.#gpu = gpu;
  }

  /** Buffers allocated and not freed. */
  get live(): number {
    return this.#entries.size;
  }

  /** Their bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes by label, for reports on who holds how much. */
  byLabel(): Map<string, number> {
    const sums = new Map<string, number>();
    for (const { label, bytes } of this.#entries.values()) {
      sums.set(label, (sums.get(label) ?? 0) + bytes);
    }
    return sums;
  }

  /**
   * A zeroed buffer of at least `bytes` (rounded up to a multiple of 4) with `usage` bits.
   * `device/limit` when it is larger than the device allows. A device without memory says so
   * later: await {@link settled} after a run of allocations.
   */
  allocate(label: string, bytes: number, usage: number): GPUBuffer {
    const { device, capabilities } = this.#gpu;
    const size = Math.max(4, Math.ceil(bytes / 4) * 4);
    const limit = capabilities.limits["maxBufferSize"] ?? device.limits.maxBufferSize;
    if (!Number.isSafeInteger(size) || size > limit) {
      throw new WebggufError(
        "device/limit",
        `Cannot allocate the buffer "${label}": it needs ${size} bytes and ${capabilities.name} allows ${limit}; use a smaller context or model`,
        { expected: limit, actual: size },
      );
    }
    device.pushErrorScope("out-of-memory");
    let buffer: GPUBuffer;
    try {
      buffer = device.createBuffer({ label, size, usage });
    } catch (cause) {
      device.popErrorScope().catch(() => {});
      throw new WebggufError(
        "device/out-of-memory",
        `Cannot allocate the buffer "${label}" of ${size} bytes: the GPU refused it; use a smaller model, context or cache type`,
        { expected: size, cause },
      );
    }
    this.#refused.push(this.#outcome(device.popErrorScope(), label, size));
    this.#entries.set(buffer, { label, bytes: size });
    this.#bytes += size;
    return buffer;
  }

  async #outcome(
    scope: Promise<GPUError | null>,
    label: string,
    size: number,
  ): Promise<WebggufError | undefined> {
    try {
      const error = await scope;
      if (error === null) return undefined;
      const cause = typedError(error);
      return new WebggufError(
        "device/out-of-memory",
        `Cannot allocate the buffer "${label}": the GPU has no ${size} bytes left; use a smaller model, context or cache type`,
        { expected: size, cause },
      );
    } catch (cause) {
      return new WebggufError(
        "device/lost",
        `Cannot allocate the buffer "${label}": the GPU went away meanwhile; load the model again`,
        { cause },
      );
    }
  }

  /** Resolves when the device has granted all allocations so far; throws the first refusal. */
  async settled(): Promise<void> {
    const waiting = this.#refused;
    this.#refused = [];
    const failures = (await Promise.all(waiting)).filter((outcome) => outcome !== undefined);
    if (failures[0] !== undefined) throw failures[0];
  }

  /** Frees a buffer of this device at once; a second call does nothing. */
  free(buffer: GPUBuffer): void {
    const entry = this.#entries.get(buffer);
    if (entry === undefined) return;
    this.#entries.delete(buffer);
    this.#bytes -= entry.bytes;
    buffer.destroy();
  }

  /** Frees everything that is still live. */
  disposeAll(): void {
    for (const buffer of [...this.#entries.keys()]) this.free(buffer);
  }
}
