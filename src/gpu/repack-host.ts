/** What wgsl/repack.wgsl does, by the host: a software adapter runs on the same cores and takes twenty times as long. */
import type { QuantType } from "../file/quants.ts";
import { layoutOf } from "../kernels/layouts.ts";

/** Bytes that are moved at a time, about. */
const CHUNK_BYTES = 1 << 18;

/** Moves whole groups of blocks; both arrays begin at an even byte of their buffers. */
function move(type: QuantType, from: Uint8Array, to: Uint8Array, groups: number): void {
  const { blocks, parts } = layoutOf(type)!;
  // Nearly all types are made of 16-bit numbers, which is half as many moves.
  const narrow =
    type.bytes % 2 !== 0 || parts.some(([offset, bytes]) => (offset | bytes) % 2 !== 0);
  const unit = narrow ? 1 : 2;
  const view = (bytes: Uint8Array): Uint8Array | Uint16Array =>
    narrow ? bytes : new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length >> 1);
  const [source, target] = [view(from), view(to)];
  const block = type.bytes / unit;
  let at = 0;
  for (let group = 0; group < groups; group++)
    for (const [offset, bytes] of parts) {
      const count = bytes / unit;
      let first = group * blocks * block + offset / unit;
      for (let i = 0; i < blocks; i++) {
        for (let j = 0; j < count; j++) target[at++] = source[first + j];
        first += block;
      }
    }
}

/** As Repacker.piece of repack.ts. */
export function repackOnHost(
  { queue }: GPUDevice,
  type: QuantType,
  out: GPUBuffer,
  offset: number,
): { write(data: Uint8Array<ArrayBuffer>): void; end(): void } {
  const group = layoutOf(type)!.blocks * type.bytes;
  const whole = Math.ceil(CHUNK_BYTES / group) * group;
  const from = new Uint8Array(whole);
  const to = new Uint8Array(whole);
  let held = 0;
  let first = offset;
  const flush = (): void => {
    const groups = Math.ceil(held / group);
    move(type, from, to, groups);
    queue.writeBuffer(out, first, to, 0, groups * group);
    first += groups * group;
    held = 0;
  };
  return {
    write(data) {
      for (let at = 0; at < data.length; ) {
        const part = data.subarray(at, at + whole - held);
        from.set(part, held);
        held += part.length;
        at += part.length;
        if (held === whole) flush();
      }
    },
    end() {
      if (held > 0) flush();
    },
  };
}
