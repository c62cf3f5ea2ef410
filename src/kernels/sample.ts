/** Host side of samplePenalties.wgsl, sampleRuns.wgsl and sampleToken.wgsl: penalties, top-k, top-p, min-p, temperature and the random choice, on the device. */
import { MAX_DEVICE_LAST_N, MAX_DEVICE_TOP_K } from "../graph/requests.ts";
import { type KernelCall, kernel, OUTPUT_ROWS, type Place, perRow, read, write } from "./call.ts";

/** Logits that one workgroup looks at; at least the largest K. */
const RUN = 4096;

/** Floats that a row needs of the scratch. */
export const sampleScratch = (vocabulary: number): number =>
  2 * Math.min(vocabulary, MAX_DEVICE_TOP_K) * Math.ceil(vocabulary / RUN);

/**
 * Samples a token for each output row by the settings in the step.
 *
 * @param scratch of {@link sampleScratch} floats a row
 * @param results first result word of the sampled buffer
 * @param contextLength words of a sequence's history
 */
export function sample(
  logits: Place,
  scratch: Place,
  results: number,
  contextLength: number,
): KernelCall[] {
  const runs = Math.ceil(logits.width / RUN);
  const consts = { RUN, LIMIT: MAX_DEVICE_TOP_K };
  return [
    kernel("samplePenalties", "penalties", {
      consts: { WINDOW: MAX_DEVICE_LAST_N },
      params: { x_offset: logits.offset, x_stride: logits.stride, context: contextLength },
      bindings: [read("history"), write(logits.buffer)],
      grid: { x: 1, y: 1, z: 1, rows: "x", tile: 1, domain: OUTPUT_ROWS },
    }),
    kernel("sampleRuns", "top-k of runs", {
      consts,
      params: {
        width: logits.width,
        x_offset: logits.offset,
        x_stride: logits.stride,
        out_stride: scratch.stride / 2,
      },
      bindings: [read(logits.buffer), write(scratch.buffer, 4 * scratch.offset)],
      grid: perRow(runs, 1),
    }),
    kernel("sampleToken", "sample", {
      consts,
      params: { width: logits.width, runs, stride: scratch.stride / 2, results },
      bindings: [read(scratch.buffer, 4 * scratch.offset), write("sampled")],
      grid: { x: 1, y: 1, z: 1, rows: "x", tile: 1, domain: OUTPUT_ROWS },
    }),
  ];
}
