/** Host side of argmax.wgsl and argmaxReduce.wgsl: greedy sampling on the device. */
import { type KernelCall, type Place, perRow, read, u, write } from "./call.ts";

/** Logits that one workgroup looks at. */
const RUN = 4096;

/** Floats that a row needs of the scratch. */
export const argmaxScratch = (vocabulary: number): number => 2 * Math.ceil(vocabulary / RUN);

/** `results`: first result word of the sampled buffer. */
export function argmax(logits: Place, scratch: Place, results: number): KernelCall[] {
  const runs = Math.ceil(logits.width / RUN);
  const common = { snippets: ["lib/step"], tables: false, layer: -1, bytes: 0, variant: "" };
  return [
    {
      ...common,
      kernel: "argmax",
      consts: { RUN: `${RUN}u` },
      params: [u(logits.width), u(logits.offset), u(logits.stride), u(runs)],
      bindings: [read(logits.buffer), write(scratch.buffer, 4 * scratch.offset)],
      grid: perRow(runs, 1),
      label: "argmax",
    },
    {
      ...common,
      kernel: "argmaxReduce",
      params: [u(runs), u(results)],
      bindings: [read(scratch.buffer, 4 * scratch.offset), write("sampled")],
      grid: { x: 1, y: 1, z: 1, rows: "x", tile: 1, domain: 1 },
      label: "argmax reduce",
    },
  ];
}
