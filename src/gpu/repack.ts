/** Brings blocks of tensors, as they come from a file, into the layout that kernels read; the GPU moves them. */
import type { QuantType } from "../file/quants.ts";
import { compose } from "../kernels/compose.ts";
import { type BlockLayout, layoutOf } from "../kernels/layouts.ts";
import { type Buffers, BufferUsage } from "../platform/buffers.ts";

/** GPU memory that the blocks wait in until they are moved. */
const STAGING_BYTES = 4 << 20;

const pipelines = new WeakMap<GPUDevice, Promise<GPUComputePipeline>>();

function pipelineOf(device: GPUDevice): Promise<GPUComputePipeline> {
  let found = pipelines.get(device);
  if (!found) {
    const code = compose({ kernel: "repack", snippets: [] });
    const compute = { module: device.createShaderModule({ label: "repack", code }) };
    found = device.createComputePipelineAsync({ label: "repack", layout: "auto", compute });
    pipelines.set(device, found);
    found.catch(() => pipelines.delete(device));
  }
  return found;
}

/** What wgsl/repack.wgsl wants to know of each part: its place in a block of the file and in a group. */
function partTable({ blocks, parts }: BlockLayout): Uint32Array<ArrayBuffer> {
  let first = 0;
  return Uint32Array.from(
    parts.flatMap(([offset, bytes]) => {
      const quads = (blocks * bytes) / 16;
      first += quads;
      return [offset, Math.log2(bytes), Math.log2(quads), first - quads];
    }),
  );
}

/** Takes the bytes of one piece of a tensor after the other. */
export class Repacker {
  readonly #device: GPUDevice;
  readonly #buffers: Buffers;
  readonly #params: GPUBuffer;
  readonly #staged: GPUBuffer;
  readonly #parts = new Map<BlockLayout, GPUBuffer>();
  readonly #pipeline: Promise<GPUComputePipeline>;

  /** For tensors of which the largest piece has `largest` bytes. */
  constructor(device: GPUDevice, buffers: Buffers, largest: number) {
    this.#device = device;
    this.#buffers = buffers;
    const { storage, uniform, copyTarget } = BufferUsage;
    // A load of 16 bytes anywhere may take in the word behind them.
    const room = Math.min(STAGING_BYTES, largest) + 16;
    this.#staged = buffers.allocate("staging", room, storage | copyTarget);
    this.#params = buffers.allocate("staging", 16, uniform | copyTarget);
    this.#pipeline = pipelineOf(device);
  }

  #partsOf(layout: BlockLayout): GPUBuffer {
    let buffer = this.#parts.get(layout);
    if (!buffer) {
      const table = partTable(layout);
      const { storage, copyTarget } = BufferUsage;
      buffer = this.#buffers.allocate("staging", table.byteLength, storage | copyTarget);
      this.#device.queue.writeBuffer(buffer, 0, table);
      this.#parts.set(layout, buffer);
    }
    return buffer;
  }

  /**
   * What takes the bytes of a piece of a tensor, whole words at a time and in order, and is called at its end.
   * The piece begins at byte `offset`, a multiple of 16, of `out`.
   */
  async piece(
    type: QuantType,
    out: GPUBuffer,
    offset: number,
    signal?: AbortSignal,
  ): Promise<{ write(data: Uint8Array<ArrayBuffer>): void; end(): void }> {
    const pipeline = await this.#pipeline;
    signal?.throwIfAborted();
    const layout = layoutOf(type)!;
    const { queue } = this.#device;
    const staged = this.#staged;
    const group = layout.blocks * type.bytes;
    const whole = Math.max(1, Math.floor((staged.size - 16) / group)) * group;
    const entries = [this.#params, staged, out, this.#partsOf(layout)];
    const bindings = this.#device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: entries.map((buffer, binding) => ({ binding, resource: { buffer } })),
    });
    let held = 0;
    let first = offset / 16;
    const move = (): void => {
      const groups = Math.ceil(held / group);
      const params = [groups, Math.log2(layout.blocks), type.bytes, first];
      queue.writeBuffer(this.#params, 0, Uint32Array.from(params));
      const encoder = this.#device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindings);
      pass.dispatchWorkgroups(Math.ceil((groups * group) / 1024));
      pass.end();
      queue.submit([encoder.finish()]);
      first += (groups * group) / 16;
      held = 0;
    };
    return {
      write(data) {
        for (let at = 0; at < data.length; ) {
          const part = data.subarray(at, at + whole - held);
          queue.writeBuffer(staged, held, part);
          held += part.length;
          at += part.length;
          if (held === whole) move();
        }
      },
      end() {
        if (held > 0) move();
      },
    };
  }

  dispose(): void {
    for (const buffer of [this.#params, this.#staged, ...this.#parts.values()])
      this.#buffers.free(buffer);
  }
}
