/** quantize.wgsl, matvecInt8.wgsl and matmulInt8.wgsl: against rounded activations closely, against floats within the contract. */
import { describe, expect, it } from "vitest";
import { narrow } from "../../scripts/wgsl-module.ts";
import { quants } from "../../src/file/quants.ts";
import { quantize, quantizedWidth } from "../../src/kernels/quantize.ts";
import { hasInt8, hasQuantKernel } from "../../src/kernels/quants.ts";
import { gpuAvailable, openTestGpu } from "../gpu.ts";
import { type LinearOptions, linearCase } from "./linear-case.ts";
import {
  expectRows,
  gather,
  mistake,
  Numbers,
  placeOf,
  poisoned,
  roomFor,
  rowsOf,
  runCalls,
  spread,
} from "./run.ts";

const available = gpuAvailable && (await openTestGpu()).capabilities.packedDot;

/** A GPU may round one activation in many thousands the other way: a step of 1/127 of the largest. */
const CLOSE = 1e-6;
const CONTRACT = 1e-4;

async function check(options: LinearOptions): Promise<void> {
  const { job, made, expected } = linearCase({ ...options, int8: true });
  const { bits } = await runCalls(job, "out");
  expectRows(made, bits, expected, CLOSE);
  // What a residual adds would hide the difference to floats.
  if (!options.residual) expectRows(made, bits, linearCase(options).expected, CONTRACT);
}

const types = quants.filter((type) => hasQuantKernel(type) && hasInt8(type));

describe.skipIf(!available)("int8 activations", () => {
  it.each(types.map((type) => type.name))("%s: few rows and many", async (name) => {
    const type = types.find((one) => one.name === name) ?? types[0];
    const unit = Math.max(type.elements, 64);
    for (const blocks of [1, 3]) {
      const common = { type: name, k: blocks * unit, parts: [13, 22], seed: blocks };
      await check({ ...common, rows: blocks, most: 8, tuning: { lanes: 2 } });
      await check({ ...common, rows: 9 + blocks });
    }
  });
  it.each([{ lanes: 1 }, { lanes: 16 }])(
    "few rows with every option, tuning %j",
    async (tuning) => {
      const common = { type: "Q4_K", k: 512, most: 8, tuning };
      for (const rows of [1, 5]) {
        await check({ ...common, rows, parts: [33, 4, 7, 1], bias: true, scale: 0.25 });
        await check({ ...common, rows, parts: [21, 21], gate: "silu", norm: true, bias: true });
        await check({ ...common, rows, parts: [19], norm: true, residual: true });
        await check({ ...common, rows, parts: [20, 30], first: 19, count: 2, bias: true, skip: 6 });
      }
    },
  );
  it("many rows with every option", async () => {
    const common = { type: "Q5_1", k: 352 };
    for (const rows of [9, 70]) {
      await check({ ...common, rows, parts: [33, 4, 7, 1], bias: true, scale: 0.25 });
      await check({ ...common, rows, parts: [19], residual: true, bias: true });
      await check({ ...common, rows, parts: [41, 41], gate: "gelu", bias: true });
      await check({ ...common, rows, parts: [50], first: 13, count: 22, skip: 6 });
    }
    await check({ ...common, rows: 5, most: 64, parts: [40], residual: true });
  });
  it("gives a row the same bits, whatever its company", async () => {
    const common = { type: "Q6_K", k: 512, parts: [37], norm: false, int8: true };
    for (const lanes of [1, 16]) {
      const bitsOf = async (rows: number, most: number): Promise<number[]> => {
        const { job, out } = linearCase({ ...common, rows, most, tuning: { lanes } });
        const { bits } = await runCalls(job, "out");
        return [...bits.subarray(out.offset, out.offset + out.width)];
      };
      const alone = await bitsOf(1, 1);
      for (const rows of [1, 2, 8]) expect(await bitsOf(rows, 8)).toEqual(alone);
    }
  });
  it("finds what is wrong", async () => {
    const { job, made, expected } = linearCase({
      type: "Q4_K",
      k: 256,
      parts: [10],
      rows: 3,
      norm: true,
      int8: true,
    });
    for (const [from, to] of [
      ["w[i].minimum * input[r]", "w[i].minimum * 0.5"],
      ["NORM && run == 0u", "NORM && run == 0u && k > 0u"],
      ["x[at + run]", "x[at + 1u - run]"],
      ["head.x, head.y, run == 1u", "head.x, head.y, run == 0u"],
      ["16u - 16u * run", "16u * run"],
      ["127.0 / reach", "126.0 / reach"],
      ["dot(v[i], v[i])", "dot(v[i].xyz, v[i].xyz)"],
    ]) {
      const mutate = (text: string): string => text.replaceAll(narrow(from), narrow(to));
      const { bits } = await runCalls({ ...job, mutate }, "out");
      expect(mistake(made, bits, expected, CLOSE), from).toBeDefined();
    }
  });
});

describe.skipIf(!available)("quantize.wgsl", () => {
  it("rounds to whole steps, sums runs, and keeps tiny and empty ones finite", async () => {
    const k = 4 * 32;
    const x = new Numbers(5).floats(2 * k);
    x.fill(0, 32, 48);
    x.fill(1e-36, 48, 64);
    for (let i = 96; i < 128; i++) x[i] *= 1e30;
    const from = placeOf("x", k, { offset: 4, gap: 8 });
    const out = placeOf("out", quantizedWidth(k), { offset: 12, gap: 4 });
    const call = quantize({ x: from, out, label: "test", layer: 0 });
    const buffers = { x: spread(from, x), out: poisoned(roomFor(out, 2)) };
    const { floats } = await runCalls({ calls: [call], buffers, rows: rowsOf(2) }, "out");
    const made = gather(out, 2, floats);
    const bytes = new Int8Array(made.buffer);
    const words = new Int16Array(made.buffer);
    for (let run = 0; run < x.length / 16; run++) {
      const values = x.subarray(16 * run, 16 * run + 16);
      const block = run >> 1;
      const half = run & 1;
      const q = bytes.subarray(48 * block + 16 * half, 48 * block + 16 * half + 16);
      const scale = made[12 * block + 8 + half];
      const reach = Math.max(...values.map(Math.abs));
      const expected = reach > 1e-30 ? reach / 127 : 0;
      expect(Math.abs(scale - expected)).toBeLessThanOrEqual(1e-6 * expected);
      values.forEach((v, i) => {
        if (scale === 0) expect(q[i]).toBe(0);
        else expect(Math.abs(v / scale - q[i])).toBeLessThan(0.5001);
      });
      expect(words[24 * block + 20 + half]).toBe(q.reduce((total, v) => total + v, 0));
    }
  });
});
