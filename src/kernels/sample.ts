/** Host side of sampleRuns.wgsl and sampleDraw.wgsl: top-k, top-p, min-p, temperature and the draw on the device. */
import { MAX_DEVICE_TOP_K } from "../graph/executor.ts";
import { type KernelCall, type Place, perRow, read, u, write } from "./call.ts";

/** Logits that one workgroup looks at; at least the largest K. */
const RUN = 4096;

/** Floats that a row needs of the scratch. */
export const sampleScratch = (vocabulary: number): number =>
  2 * Math.min(vocabulary, MAX_DEVICE_TOP_K) * Math.ceil(vocabulary / RUN);

/**
 * Draws a token for each output row by the settings that stand in the step.
 *
 * @param scratch of {@link sampleScratch} floats a row
 * @param results first result word of the sampled buffer
 */
export function sample(logits: Place, scratch: Place, results: number): KernelCall[] {
  const runs = Math.ceil(logits.width / RUN);
  const common = {
    consts: { RUN: `${RUN}u`, LIMIT: `${MAX_DEVICE_TOP_K}u` },
    snippets: [],
    tables: false,
    layer: -1,
    bytes: 0,
    variant: "",
  };
  return [
    {
      ...common,
      kernel: "sampleRuns",
      params: [u(logits.width), u(logits.offset), u(logits.stride), u(scratch.stride / 2)],
      bindings: [read(logits.buffer), write(scratch.buffer, 4 * scratch.offset)],
      grid: perRow(runs, 1),
      label: "top-k of runs",
    },
    {
      ...common,
      kernel: "sampleDraw",
      params: [u(logits.width), u(runs), u(scratch.stride / 2), u(results)],
      bindings: [read(scratch.buffer, 4 * scratch.offset), write("sampled")],
      grid: { x: 1, y: 1, z: 1, rows: "x", tile: 1, domain: 1 },
      label: "draw",
    },
  ];
}
