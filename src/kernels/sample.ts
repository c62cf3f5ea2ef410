/** Host side of samplePenalties.wgsl, sampleRuns.wgsl and sampleDraw.wgsl: penalties, top-k, top-p, min-p, temperature and the draw on the device. */
import { MAX_DEVICE_LAST_N, MAX_DEVICE_TOP_K } from "../graph/requests.ts";
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
 * @param contextLength words of a sequence's history
 */
export function sample(
  logits: Place,
  scratch: Place,
  results: number,
  contextLength: number,
): KernelCall[] {
  const runs = Math.ceil(logits.width / RUN);
  const consts = { RUN: `${RUN}u`, LIMIT: `${MAX_DEVICE_TOP_K}u` };
  const common = {
    snippets: [],
    tables: false,
    layer: -1,
    bytes: 0,
    variant: "",
  };
  return [
    {
      ...common,
      kernel: "samplePenalties",
      consts: { WINDOW: `${MAX_DEVICE_LAST_N}u` },
      params: [u(logits.offset), u(logits.stride), u(contextLength)],
      bindings: [read("history"), write(logits.buffer)],
      grid: { x: 1, y: 1, z: 1, rows: "x", tile: 1, domain: 1 },
      label: "penalties",
    },
    {
      ...common,
      kernel: "sampleRuns",
      consts,
      params: [u(logits.width), u(logits.offset), u(logits.stride), u(scratch.stride / 2)],
      bindings: [read(logits.buffer), write(scratch.buffer, 4 * scratch.offset)],
      grid: perRow(runs, 1),
      label: "top-k of runs",
    },
    {
      ...common,
      kernel: "sampleDraw",
      consts,
      params: [u(logits.width), u(runs), u(scratch.stride / 2), u(results)],
      bindings: [read(scratch.buffer, 4 * scratch.offset), write("sampled")],
      grid: { x: 1, y: 1, z: 1, rows: "x", tile: 1, domain: 1 },
      label: "draw",
    },
  ];
}
