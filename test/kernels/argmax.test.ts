/** argmax.wgsl and argmaxReduce.wgsl against the CPU path's argmax. */

import { describe, expect, it } from "vitest";
import { argmax as argmaxOnCpu } from "../../src/cpu/executor.ts";
import { argmax, argmaxScratch } from "../../src/kernels/argmax.ts";
import { OUTPUT_ROWS } from "../../src/kernels/call.ts";
import type { Row } from "../../src/plan/steps.ts";
import { gpuAvailable } from "../gpu.ts";
import { Numbers, placeOf, poisoned, rowsOf, runCalls, spread } from "./run.ts";

const SEQUENCES = 4;

/** Sampled tokens of the sequences, then of the output rows. */
async function sample(
  logits: Float32Array,
  width: number,
  rows: readonly Row[],
): Promise<number[]> {
  const outputs = logits.length / width;
  const x = placeOf("logits", width, { offset: 4, gap: 4, domain: OUTPUT_ROWS });
  const scratch = placeOf("scratch", argmaxScratch(width), { domain: OUTPUT_ROWS });
  const { bits } = await runCalls(
    {
      calls: argmax(x, scratch, SEQUENCES),
      buffers: {
        logits: spread(x, logits),
        scratch: poisoned(scratch.stride * outputs + 64),
        sampled: new Uint32Array(SEQUENCES + outputs).fill(99),
      },
      rows,
    },
    "sampled",
  );
  return [...bits];
}

describe.skipIf(!gpuAvailable)("argmax.wgsl", () => {
  it.each([1, 63, 4096, 4097, 151936])("finds the largest of %i logits", async (width) => {
    const numbers = new Numbers(width);
    const logits = numbers.floats(2 * width, 20);
    // The second row has its largest at the very end.
    logits[2 * width - 1] = 21;
    const found = await sample(logits, width, rowsOf(2));
    const rows = [logits.subarray(0, width), logits.subarray(width)];
    expect(found.slice(SEQUENCES)).toEqual(rows.map(argmaxOnCpu));
  });
  it("takes the first of equals, wherever they stand", async () => {
    const width = 9001;
    for (const places of [
      [0, 1],
      [5, 69],
      [64, 65, 8999],
      // The first is not the one of the thread that is asked first.
      [63, 64],
      [130, 193, 256],
      [4095, 4096],
      [4097, 8200],
      [3, 8999, 9000],
    ]) {
      const logits = new Float32Array(width).fill(-2);
      for (const at of places) logits[at] = 7.5;
      expect((await sample(logits, width, rowsOf(1)))[SEQUENCES]).toBe(places[0]);
    }
    expect((await sample(new Float32Array(width), width, rowsOf(1)))[SEQUENCES]).toBe(0);
  });
  it("takes large negative numbers for what they are", async () => {
    const logits = new Float32Array(5000).fill(-1e30);
    logits[4500] = -9e29;
    expect((await sample(logits, 5000, rowsOf(1)))[SEQUENCES]).toBe(4500);
  });
  it("leaves the last row's token to its sequence, and no other's", async () => {
    const rows = [
      ...rowsOf(2, { sequence: 2, from: 10 }),
      ...rowsOf(1, { sequence: 0 }),
      ...rowsOf(3, { sequence: 3, output: (row) => row === 1 }),
    ];
    const width = 10;
    const logits = new Float32Array(4 * width);
    [6, 1, 8, 4].forEach((token, row) => {
      logits[row * width + token] = 1;
    });
    expect(await sample(logits, width, rows)).toEqual([8, 99, 1, 4, 6, 1, 8, 4]);
  });
});
