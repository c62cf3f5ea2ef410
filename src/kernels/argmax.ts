/** Host side of argmax.wgsl and argmaxReduce.wgsl: greedy sampling on the device. */
import { type KernelCall, kernel, OUTPUT_ROWS, type Place, perRow, read, write } from "./call.ts";

/** Logits that one workgroup looks at. */
const RUN = 4096;

/** Floats that a row needs of the scratch. */
export const argmaxScratch = (vocabulary: number): number => 2 * Math.ceil(vocabulary / RUN);

/** `results`: first result word of the sampled buffer. */
export function argmax(logits: Place, scratch: Place, results: number): KernelCall[] {
  const runs = Math.ceil(logits.width / RUN);
  return [
    kernel("argmax", "argmax", {
      consts: { RUN },
      params: { width: logits.width, x_offset: logits.offset, x_stride: logits.stride, runs },
      bindings: [read(logits.buffer), write(scratch.buffer, 4 * scratch.offset)],
      grid: perRow(runs, 1),
    }),
    kernel("argmaxReduce", "argmax reduce", {
      params: { runs, results },
      bindings: [read(scratch.buffer, 4 * scratch.offset), write("sampled")],
      grid: { x: 1, y: 1, z: 1, rows: "x", tile: 1, domain: OUTPUT_ROWS },
    }),
  ];
}
