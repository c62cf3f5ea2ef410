/** The kernels that carry state from row to row against the CPU path. */
import { describe, expect, it } from "vitest";
import { conv as convOnCpu, shift as shiftOnCpu } from "../../src/cpu/ops/conv.ts";
import { deltaNet as deltaNetOnCpu } from "../../src/cpu/ops/deltaNet.ts";
import { ssm as ssmOnCpu } from "../../src/cpu/ops/ssm.ts";
import { wkv7 as wkv7OnCpu } from "../../src/cpu/ops/wkv7.ts";
import { type KernelCall, NONE, type Place } from "../../src/kernels/call.ts";
import { conv } from "../../src/kernels/conv.ts";
import { deltaNet } from "../../src/kernels/deltaNet.ts";
import type { StateCall } from "../../src/kernels/inputs.ts";
import { shift } from "../../src/kernels/shift.ts";
import { ssm } from "../../src/kernels/ssm.ts";
import { wkv7 } from "../../src/kernels/wkv7.ts";
import { gpuAvailable } from "../gpu.ts";
import {
  expectRows,
  Numbers,
  placeOf,
  poisoned,
  roomFor,
  rowsOf,
  runCalls,
  spread,
} from "./run.ts";

/** Rows of one sequence in a step. */
interface Run {
  readonly sequence: number;
  readonly from: number;
  readonly count: number;
}

/** One sequence from its start; one that goes on; several in a step, of few rows and of many. */
const steps: readonly (readonly Run[])[] = [
  [{ sequence: 0, from: 0, count: 1 }],
  [{ sequence: 1, from: 7, count: 1 }],
  [{ sequence: 2, from: 0, count: 21 }],
  [
    { sequence: 2, from: 5, count: 2 },
    { sequence: 0, from: 0, count: 3 },
    { sequence: 1, from: 90, count: 4 },
  ],
];
const SEQUENCES = 3;

interface OpCase {
  /** Width of each input value, and the buffer it stands in. */
  readonly inputs: readonly { readonly width: number; readonly buffer: string; reach?: number }[];
  readonly small?: Float32Array;
  readonly width: number;
  /** Elements of state. */
  readonly state: number;
  call(places: readonly Place[], about: StateCall): KernelCall;
  /** Result of the rows; moves the state on. */
  cpu(values: readonly Float32Array[], state: Float32Array): Float32Array;
}

/** Runs the op on all steps; the state of each sequence and nothing else must move on. */
async function check(op: OpCase, given = steps): Promise<void> {
  const numbers = new Numbers(op.state);
  const [offset, behind] = [3, 2];
  const size = offset + op.state + behind;
  for (const runs of given) {
    const rows = runs.reduce((sum, run) => sum + run.count, 0);
    const values = op.inputs.map(({ width, reach }) => numbers.floats(rows * width, reach));
    // Values that share a buffer stand behind each other.
    const buffers: Record<string, Uint32Array<ArrayBuffer> | Float32Array<ArrayBuffer>> = {};
    const places = op.inputs.map(({ width, buffer }, i) => {
      const place = placeOf(buffer, width, { offset: buffers[buffer]?.length ?? 4, gap: 3 });
      const bits = spread(place, values[i]);
      if (buffers[buffer]) bits.set(buffers[buffer] as Uint32Array<ArrayBuffer>);
      buffers[buffer] = bits;
      return place;
    });
    const states = numbers.floats(SEQUENCES * size);
    const out = placeOf("out", op.width, { offset: 5, gap: 2 });
    const state = { buffer: "state", offset, size };
    const call = op.call(places, { state, out, runs: SEQUENCES, label: "test", layer: 0 });
    const job = {
      calls: [call],
      buffers: {
        ...buffers,
        small: Float32Array.from(op.small ?? [0, 0, 0, 0]),
        out: poisoned(roomFor(out, rows)),
        state: states.slice(),
      },
      rows: runs.flatMap((run) => rowsOf(run.count, run)),
    };
    const expected: number[] = [];
    let row = 0;
    for (const { sequence, from, count } of runs) {
      const own = states.subarray(sequence * size + offset, sequence * size + offset + op.state);
      if (from === 0) own.fill(0);
      const part = values.map((v, i) =>
        v.slice(row * op.inputs[i].width, (row + count) * op.inputs[i].width),
      );
      expected.push(...op.cpu(part, own));
      row += count;
    }
    expectRows(out, (await runCalls(job, "out")).bits, Float32Array.from(expected));
    const after = (await runCalls(job, "state")).floats.subarray(0, states.length);
    const largest = states.reduce((most, v) => Math.max(most, Math.abs(v)), 1);
    const wrong = after.findIndex((v, i) => !(Math.abs(v - states[i]) <= 1e-5 * largest));
    expect(wrong, `element of state, ${after[wrong]} for ${states[wrong]}`).toBe(-1);
  }
}

describe.skipIf(!gpuAvailable)("kernels with state", () => {
  it.each([2, 3, 4])("convolution over %i rows", async (kernel) => {
    for (const bias of [false, true]) {
      const width = 70;
      const small = new Numbers(kernel).floats(2 + width * kernel + width);
      const weight = small.subarray(2, 2 + width * kernel);
      const added = bias ? small.subarray(2 + width * kernel) : undefined;
      await check({
        inputs: [{ width, buffer: "x" }],
        small,
        width,
        state: (kernel - 1) * width,
        call: ([x], about) =>
          conv({ ...about, x, weight: 2, bias: bias ? 2 + width * kernel : NONE, kernel }),
        cpu: ([x], state) => convOnCpu(x, state, weight, kernel, added),
      });
    }
  });

  it("token shift", () => {
    const op: OpCase = {
      inputs: [{ width: 70, buffer: "x" }],
      width: 70,
      state: 70,
      call: ([x], about) => shift({ ...about, x }),
      cpu: ([x], state) => shiftOnCpu(x, state),
    };
    // The first row of a sequence alone gives nothing but zeros.
    return check(op, steps.slice(1));
  });

  it.each([
    { heads: 50, headWidth: 1, groups: 1, stateWidth: 16, perState: true, more: true },
    { heads: 6, headWidth: 12, groups: 2, stateWidth: 32, perState: false, more: true },
    { heads: 2, headWidth: 20, groups: 1, stateWidth: 128, perState: false, more: false },
    { heads: 3, headWidth: 5, groups: 3, stateWidth: 6, perState: false, more: false },
  ])("state space: %j", async ({ heads, headWidth, groups, stateWidth, perState, more }) => {
    const numbers = new Numbers(heads);
    const count = perState ? heads * stateWidth : heads;
    const a = numbers.floats(count).map((v) => -1 - v);
    const [d, dtBias] = [numbers.floats(heads), numbers.floats(heads)];
    const inner = heads * headWidth;
    const shape = { heads, headWidth, groups };
    await check({
      inputs: [
        { width: inner, buffer: "x" },
        { width: heads, buffer: "dt", reach: 3 },
        { width: groups * stateWidth, buffer: "x" },
        { width: groups * stateWidth, buffer: "c" },
      ],
      small: Float32Array.from([...a, ...d, ...dtBias]),
      width: inner,
      state: inner * stateWidth,
      call: ([x, dt, b, c], about) => {
        const vectors = { a: 0, d: more ? count : NONE, bias: more ? count + heads : NONE };
        return ssm({ ...about, ...shape, ...vectors, x, dt, b, c, perState, stateWidth });
      },
      cpu: ([x, dt, b, c], state) => {
        const vectors = more ? { a, d, dtBias } : { a };
        return ssmOnCpu(x, state, { ...shape, ...vectors, dt, b, c, state: stateWidth });
      },
    });
  });

  it.each([
    { heads: 4, keyHeads: 2, keyWidth: 16, valueWidth: 20, tiled: false, perChannel: false },
    { heads: 4, keyHeads: 2, keyWidth: 64, valueWidth: 16, tiled: true, perChannel: false },
    { heads: 2, keyHeads: 2, keyWidth: 128, valueWidth: 70, tiled: false, perChannel: true },
    { heads: 1, keyHeads: 1, keyWidth: 7, valueWidth: 5, tiled: false, perChannel: true },
  ])("gated delta rule: %j", async ({ perChannel, ...rest }) => {
    const { heads, keyHeads, keyWidth, valueWidth } = rest;
    const shape = { ...rest, scale: 0.3 };
    await check({
      inputs: [
        { width: keyHeads * keyWidth, buffer: "qk", reach: 0.3 },
        { width: keyHeads * keyWidth, buffer: "qk", reach: 0.3 },
        { width: heads * valueWidth, buffer: "v" },
        { width: perChannel ? heads * keyWidth : heads, buffer: "g" },
        { width: heads, buffer: "beta" },
      ],
      width: heads * valueWidth,
      state: heads * keyWidth * valueWidth,
      call: ([q, k, v, g, beta], about) => deltaNet({ ...about, ...shape, q, k, v, g, beta }),
      cpu: ([q, k, v, g, beta], state) => deltaNetOnCpu(state, { ...shape, q, k, v, g: g, beta }),
    });
  });

  it.each([
    { heads: 2, headWidth: 64 },
    { heads: 5, headWidth: 8 },
    { heads: 1, headWidth: 24 },
  ])("RWKV-7: %j", async ({ heads, headWidth }) => {
    const width = heads * headWidth;
    await check({
      inputs: ["a0", "a1", "a0", "a2", "a3", "a3"].map((buffer) => ({ width, buffer, reach: 0.4 })),
      width,
      state: width * headWidth,
      call: ([r, w, k, v, a, b], about) => wkv7({ ...about, r, w, k, v, a, b, headWidth }),
      cpu: ([r, w, k, v, a, b], state) => wkv7OnCpu(state, headWidth, { r, w, k, v, a, b }),
    });
  });
});
