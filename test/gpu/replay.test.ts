/** What a replay encodes: which calls, and over how many rows. */

import { describe, expect, it } from "vitest";
import { Pipelines } from "../../src/gpu/pipelines.ts";
import { type EncodedStep, Replay } from "../../src/gpu/replay.ts";
import type { KernelCall } from "../../src/kernels/call.ts";
import { ALL_ROWS, OUTPUT_ROWS } from "../../src/kernels/call.ts";
import type { Plan } from "../../src/plan/plan.ts";
import type { Buffers } from "../../src/platform/buffers.ts";
import { callOf, fakeDevice } from "./fake-device.ts";

/** x, y and z of every dispatch of a step. */
type Encode = (step: Partial<EncodedStep>, start?: number) => number[][];

/** A plan of two calls over all rows, one over output rows in tiles of 4, and two that sample, over 101 and 102 columns. */
async function replay(): Promise<Encode> {
  const call = (grid: KernelCall["grid"]): KernelCall => ({ ...callOf("F32"), grid });
  const fixed = { y: 1, z: 1, rows: undefined } as const;
  const calls = [
    call({ x: 5, y: 1, z: 1, rows: "y", domain: ALL_ROWS, tile: 1 }),
    call({ x: 1, y: 7, z: 1, rows: "x", domain: ALL_ROWS, tile: 8 }),
    call({ x: 6, y: 1, z: 1, rows: "z", domain: OUTPUT_ROWS, tile: 4 }),
  ];
  const sampling = [101, 102].map((x) => call({ ...fixed, x, domain: OUTPUT_ROWS, tile: 1 }));
  const { device } = fakeDevice();
  const pipelines = Pipelines.of(device);
  await pipelines.compile(calls);
  const buffers = { allocate: () => ({}), free() {} } as unknown as Buffers;
  const names = ["weights", "out", "sampled", "history"];
  const named = new Map(names.map((name) => [name, {} as GPUBuffer]));
  const plan = { calls, sampling } as unknown as Plan;
  const made = new Replay(plan, device, buffers, pipelines, named);
  return (step, start) => {
    const dispatches: number[][] = [];
    const pass = {
      setPipeline() {},
      setBindGroup() {},
      dispatchWorkgroups: (...grid: number[]) => dispatches.push(grid),
    };
    const whole = { rows: { length: 1 }, outputs: 1, end: 3, sampling: "greedy", ...step } as const;
    made.encode(pass as unknown as GPUComputePassEncoder, whole, start);
    return dispatches;
  };
}

describe("a replay", () => {
  it("sizes grids by rows or output rows, in whole tiles, whichever changes", async () => {
    const encode = await replay();
    const grids = (rows: number, outputs: number) => encode({ rows: { length: rows }, outputs });
    for (const [rows, outputs] of [
      [9, 1],
      [9, 5],
      [8, 5],
      [8, 8],
      [17, 8],
      [9, 1],
    ])
      expect(grids(rows, outputs)).toEqual([
        [5, rows, 1],
        [Math.ceil(rows / 8), 7, 1],
        [6, 1, Math.ceil(outputs / 4)],
      ]);
  });

  it("encodes the calls asked for, and those of the sampling behind them", async () => {
    const encode = await replay();
    const first = (grids: number[][]) => grids.map(([x]) => x);
    expect(first(encode({ end: 2 }))).toEqual([5, 1]);
    expect(first(encode({ end: 3 }, 1))).toEqual([1, 6]);
    expect(first(encode({ sampling: "penalized" }, 3))).toEqual([101, 102]);
    // Without penalties, their call is left out.
    expect(first(encode({ sampling: "random" }, 2))).toEqual([6, 102]);
  });
});
