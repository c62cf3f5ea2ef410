/** Blocks of a file in the layout that kernels read, without a GPU: for benchmarks and tests of kernels. */
import type { QuantType } from "../src/file/quants.ts";
import { layoutOf } from "../src/kernels/layouts.ts";

/** The bytes of whole blocks as a GPU buffer has them; a last group is filled up with 0xa5. */
export function stored(type: QuantType, bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const layout = layoutOf(type);
  if (!layout) return bytes;
  const { blocks, parts } = layout;
  const count = Math.floor(bytes.length / type.bytes);
  const size = blocks * type.bytes;
  const out = new Uint8Array(Math.ceil(count / blocks) * size).fill(0xa5);
  for (let block = 0; block < count; block++) {
    let at = Math.floor(block / blocks) * size;
    for (const [offset, length] of parts) {
      const from = block * type.bytes + offset;
      out.set(bytes.subarray(from, from + length), at + (block % blocks) * length);
      at += blocks * length;
    }
  }
  return out;
}
