/** Brings bytes from the GPU to the host through staging buffers that are used again. */
import { WebggufError } from "../base/errors.ts";
import { type Buffers, BufferUsage, MapMode } from "../platform/buffers.ts";

export class Readback {
  readonly #buffers: Buffers;
  readonly #check: () => void;
  readonly #free = new Map<number, GPUBuffer[]>();

  /** `check` throws when the device or its owner is gone. */
  constructor(buffers: Buffers, check: () => void) {
    this.#buffers = buffers;
    this.#check = check;
  }

  /** A staging buffer of at least `bytes`. Small ones share a size, so that token reads share a buffer. */
  take(bytes: number): GPUBuffer {
    const size = bytes <= 1024 ? 1024 : Math.ceil(bytes / 65536) * 65536;
    return (
      this.#free.get(size)?.pop() ??
      this.#buffers.allocate("staging", size, BufferUsage.mapRead | BufferUsage.copyTarget)
    );
  }

  /** A copy of the first `bytes` bytes of a staging buffer, which goes back into the pool. */
  async bring(staging: GPUBuffer, bytes: number): Promise<ArrayBuffer> {
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
    this.#check();
    const pool = this.#free.get(staging.size);
    if (pool) pool.push(staging);
    else this.#free.set(staging.size, [staging]);
    return copy;
  }
}
