/** matvec.wgsl and matmul.wgsl against the CPU path's linear. */
import { describe, expect, it } from "vitest";
import { gpuAvailable, openTestGpu } from "../gpu.ts";
import { type LinearOptions, linearCase } from "./linear-case.ts";
import { expectRows, Numbers, runCalls } from "./run.ts";

async function check(options: LinearOptions): Promise<void> {
  const { job, made, expected } = linearCase(options);
  expectRows(made, (await runCalls(job, "out")).bits, expected);
}

/** Threads of the smallest subgroup, 0 without the feature. */
const subgroup = gpuAvailable ? (await openTestGpu()).capabilities.subgroupMinSize : 0;

// Few variants with many shapes each: a software adapter takes longest to compile.
describe.skipIf(!gpuAvailable)("matvec.wgsl", () => {
  it.each([
    { lanes: 1 },
    { lanes: 16, weightRows: 4, batchWeightRows: 2, unroll: true },
    { threads: 32, lanes: 8 },
    { threads: 32, lanes: 32 },
  ])("gives the CPU's sums, tuning %j", async (tuning) => {
    const common = { type: "Q8_0", k: 352, most: 8, tuning };
    for (const rows of [1, 5]) {
      await check({ ...common, rows, parts: [33, 4, 7, 1], bias: true, scale: 0.25 });
      await check({ ...common, rows, parts: [67] });
      await check({ ...common, rows, parts: [21, 21], gate: "silu", norm: true, bias: true });
    }
  });
  it.each([1, 16])(
    "gives the CPU's sums of a single row with every option, %i lanes",
    async (lanes) => {
      const common = { type: "Q4_K", k: 512, rows: 1, tuning: { lanes } };
      await check({ ...common, parts: [37] });
      await check({ ...common, parts: [5, 40], norm: true });
      await check({ ...common, parts: [19], norm: true, residual: true, bias: true });
      await check({ ...common, parts: [21, 21], gate: "silu" });
    },
  );
  it.skipIf(subgroup < 2)("gives the CPU's sums when lanes meet in subgroups", async () => {
    const tuning = { lanes: subgroup, subgroup };
    for (const rows of [1, 5]) {
      await check({
        type: "Q8_0",
        k: 352,
        most: 8,
        tuning,
        rows,
        parts: [33, 4, 7, 1],
        bias: true,
      });
      await check({
        type: "Q4_K",
        k: 512,
        most: 8,
        tuning,
        rows,
        parts: [21, 21],
        gate: "silu",
        norm: true,
      });
    }
  });
  it.each(["F32", "F16", "BF16"])("takes rows of any length: %s", async (type) => {
    const numbers = new Numbers(3);
    // A norm reads its weight as vec4s.
    for (const norm of [false, true])
      for (const k of norm ? [4, 12, 100, 260] : [1, 12, 33, 100, 259]) {
        const parts = [numbers.integer(1, 40)];
        await check({ type, k, parts, rows: numbers.integer(1, 8), most: 8, norm, seed: k });
      }
    // A thread takes 32 columns at a time, of which half may be past the end.
    const tuning = { lanes: 16 };
    for (const k of [16, 48, 272])
      await check({ type, k, parts: [9, 5], rows: 2, most: 8, seed: k });
    for (const k of [257, 272, 300])
      await check({ type, k, parts: [9, 5], rows: 2, most: 8, tuning, seed: k });
  });
  it.each([
    ["Q4_K", 512],
    ["Q6_K", 256],
    ["Q8_0", 352],
    ["Q8_0", 512],
    ["F16", 768],
  ])("has the same bits with loops and without, %s rows of %i", async (type, k) => {
    const bits = async (unroll: boolean, rows: number, most: number) => {
      const tuning = { lanes: 8, unroll, batchWeightRows: 2 };
      const options = { type, k, parts: [5, 6], norm: type !== "Q4_K", rows, most, tuning };
      const { job, made, expected } = linearCase(options);
      const found = (await runCalls(job, "out")).bits;
      expectRows(made, found, expected);
      return [...found.subarray(made.offset, made.offset + made.width)];
    };
    const loops = await bits(false, 1, 1);
    expect(await bits(true, 1, 1)).toEqual(loops);
    // The first row is the same whatever stands beside it.
    if (type === "Q4_K") expect(await bits(true, 3, 8)).toEqual(loops);
    // Its norm comes of other numbers than that of one row.
    if (type === "F16") await bits(true, 3, 8);
  });
  it("takes every number of rows from 1 to 8 in a plan for 8", async () => {
    for (let rows = 1; rows <= 8; rows++)
      await check({ type: "Q4_K", k: 256, parts: [9, 5], rows, most: 8, bias: true });
  });
});

describe.skipIf(!gpuAvailable)("matmul.wgsl", () => {
  it.each([32, 64])("gives the CPU's sums with every option, tiles of %i rows", async (tile) => {
    const common = { type: "Q8_0", k: 352, tuning: { tile } };
    for (const rows of [9, 33, 70]) {
      await check({ ...common, rows, parts: [37] });
      await check({ ...common, rows, parts: [33, 4, 7, 1], bias: true, scale: 0.25 });
      await check({ ...common, rows, parts: [19], residual: true, bias: true });
      await check({ ...common, rows, parts: [41, 41], gate: "gelu", bias: true });
    }
  });
  it.skipIf(subgroup < 2)("gives the CPU's sums when lanes meet in subgroups", async () => {
    const tuning = { lanes: subgroup, subgroup };
    for (const rows of [1, 5]) {
      await check({
        type: "Q8_0",
        k: 352,
        most: 8,
        tuning,
        rows,
        parts: [33, 4, 7, 1],
        bias: true,
      });
      await check({
        type: "Q4_K",
        k: 512,
        most: 8,
        tuning,
        rows,
        parts: [21, 21],
        gate: "silu",
        norm: true,
      });
    }
  });
  it.each(["F32", "F16", "BF16"])("takes rows of any length: %s", async (type) => {
    const numbers = new Numbers(4);
    for (const k of [1, 20, 33, 259])
      await check({ type, k, parts: [numbers.integer(1, 70)], rows: 11, seed: k });
  });
  it("takes fewer rows than the plan is made for", async () => {
    for (const rows of [1, 8, 31])
      await check({ type: "Q8_0", k: 256, parts: [40], rows, most: 64, residual: true });
  });
});

describe.skipIf(!gpuAvailable).each([
  { kernel: "matvec", rows: 3 },
  { kernel: "matmul", rows: 12 },
])("$kernel", ({ rows }) => {
  it.each([
    "silu",
    "gelu",
    "geluErf",
    "geluQuick",
    "relu",
    "relu2",
    "sigmoid",
    "tanh",
    "swigluOai",
  ] as const)("gates by %s", (gate) =>
    check({ type: "F32", k: 64, parts: [35, 35], rows, gate, seed: 5 }),
  );
  it("makes only its range of outputs", async () => {
    const common = { type: "Q4_0", k: 96, rows, bias: true, residual: true, tuning: { lanes: 4 } };
    await check({ ...common, parts: [50], first: 13, count: 22 });
    await check({ ...common, parts: [20, 30], first: 19, count: 2 });
    await check({ ...common, parts: [50], first: 49, count: 1 });
  });
  it("takes rows from the middle of a tensor", async () => {
    const common = { type: "Q5_1", k: 64, rows, bias: true, skip: 6 };
    await check({ ...common, parts: [17] });
    await check({ ...common, parts: [12, 9, 3] });
    await check({ ...common, parts: [11, 11], gate: "silu" });
  });
});

describe.skipIf(!gpuAvailable)("the comparison", () => {
  it("finds a single value that is off by a thousandth", async () => {
    const { job, made, expected } = linearCase({ type: "Q8_0", k: 64, parts: [5], rows: 2 });
    const wrong = expected.slice();
    wrong[3] *= 1.001;
    const { bits } = await runCalls(job, "out");
    expect(() => expectRows(made, bits, wrong)).toThrow();
  });
});
