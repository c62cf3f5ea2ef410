/** The kernels of mixture-of-experts ops against the CPU path. */
import { describe, expect, it } from "vitest";
import { DecodedMatrix } from "../../src/cpu/matrix.ts";
import { gated } from "../../src/cpu/ops/gated.ts";
import {
  moeLinear as linearOnCpu,
  moeRoute as routeOnCpu,
  moeScale as scaleOnCpu,
  moeSum as sumOnCpu,
} from "../../src/cpu/ops/moe.ts";
import type { RouteParams } from "../../src/graph/ops.ts";
import { type KernelCall, NONE, read } from "../../src/kernels/call.ts";
import { type ExpertPart, groupWidth, moeGroup, moeLinear } from "../../src/kernels/moeLinear.ts";
import { moeRoute } from "../../src/kernels/moeRoute.ts";
import { moeScale, moeSum } from "../../src/kernels/moeSum.ts";
import { gpuAvailable, openTestGpu } from "../gpu.ts";
import { randomRows, typeOf, wordsOf } from "./linear-case.ts";
import {
  type Contents,
  expectRows,
  gather,
  Numbers,
  placeOf,
  poisoned,
  roomFor,
  rowsOf,
  runCalls,
  spread,
} from "./run.ts";

/** Threads of the smallest subgroup, 0 without the feature. */
const subgroup = gpuAvailable ? (await openTestGpu()).capabilities.subgroupMinSize : 0;
const about = { label: "test", layer: 0 };

/** Rows of distinct experts with weights, as moeRoute makes them. */
function randomRoute(numbers: Numbers, rows: number, used: number, experts: number): Float32Array {
  const out = new Float32Array(rows * 2 * used);
  for (let r = 0; r < rows; r++) {
    const ids = new Set<number>();
    while (ids.size < used) ids.add(numbers.integer(0, experts - 1));
    out.set([...ids], r * 2 * used);
    out.set(numbers.floats(used), r * 2 * used + used);
  }
  return out;
}

describe.skipIf(!gpuAvailable)("moeRoute.wgsl", () => {
  async function check(rows: number, params: RouteParams, bias = false, x?: Float32Array) {
    const numbers = new Numbers(params.experts + params.used);
    const logits = x ?? numbers.floats(rows * params.experts, 4);
    const bent = bias ? numbers.floats(params.experts, 0.3) : undefined;
    const from = placeOf("x", params.experts, { offset: 4, gap: 4 });
    const out = placeOf("out", 2 * params.used, { offset: 8, gap: 1 });
    const call = moeRoute({ ...about, params, x: from, out, bias: bias ? 3 : NONE });
    const expected = routeOnCpu(logits, params, bent);
    const small = Float32Array.from([9, 9, 9, ...(bent ?? []), 9]);
    const buffers = { x: spread(from, logits), out: poisoned(roomFor(out, rows)), small };
    const { bits, floats } = await runCalls({ calls: [call], buffers, rows: rowsOf(rows) }, "out");
    expectRows(out, bits, expected);
    const ids = (route: Float32Array): number[] =>
      [...route].filter((_, i) => i % (2 * params.used) < params.used);
    expect(ids(gather(out, rows, floats))).toEqual(ids(expected));
  }
  const plain = { groups: 1, groupsUsed: 1, normalize: false, scale: 1 };

  it.each(["softmax", "sigmoid", "softmaxChosen", "none"] as const)("%s", async (gate) => {
    await check(3, { ...plain, experts: 8, used: 2, gate });
    await check(2, { ...plain, experts: 60, used: 4, gate, scale: 2.5 });
    await check(2, { ...plain, experts: 60, used: 4, gate, normalize: true }, gate !== "none");
  });
  it("takes 512 experts, all of few, and one", async () => {
    await check(2, { ...plain, experts: 512, used: 10, gate: "softmax", normalize: true });
    await check(2, { ...plain, experts: 5, used: 5, gate: "softmax" });
    await check(2, { ...plain, experts: 1, used: 1, gate: "sigmoid" });
  });
  it("keeps the best groups", async () => {
    const params = { experts: 64, used: 6, gate: "sigmoid", normalize: true, scale: 2.5 } as const;
    await check(5, { ...params, groups: 8, groupsUsed: 4 }, true);
    await check(5, { ...params, groups: 8, groupsUsed: 1 });
    await check(5, { ...params, groups: 64, groupsUsed: 9 });
  });
  it("normalizes weights that are nearly nothing by no less than 2^-14", async () => {
    const unlikely = new Numbers(1).floats(3 * 16).map((v) => v - 14);
    const params = { ...plain, experts: 16, used: 3, gate: "sigmoid", normalize: true } as const;
    await check(3, params, false, unlikely);
  });
  it("prefers the lower number of equals", async () => {
    const equal = new Float32Array(24).fill(1);
    await check(2, { ...plain, experts: 12, used: 5, gate: "softmax" }, false, equal);
    const grouped = { ...plain, groups: 4, groupsUsed: 2 };
    await check(2, { ...grouped, experts: 12, used: 5, gate: "none" }, false, equal);
  });
});

interface Shape {
  readonly type?: string;
  readonly rows: number;
  readonly experts: number;
  readonly used: number;
  readonly k: number;
  readonly out: number;
  /** Rows of an expert's matrix in front of and behind those that are used. */
  readonly before?: number;
  readonly after?: number;
  readonly gate?: "silu" | "swigluOai";
  readonly perExpert?: boolean;
  readonly vectors?: boolean;
  readonly lanes?: number;
  readonly unroll?: boolean;
  readonly outputs?: number;
  readonly subgroup?: number;
  readonly tiled?: boolean;
  /** Rows of all experts in each dispatch. @default all */
  readonly piece?: number;
  /** No route: choice c is expert c. */
  readonly byHead?: boolean;
}

/** One moeLinear on both paths. */
async function checkLinear(shape: Shape): Promise<void> {
  const { rows, experts, used, k, out: count, before = 0, after = 0, gate } = shape;
  const { perExpert = false, vectors = false, tiled = false, byHead = false } = shape;
  const numbers = new Numbers(rows + count);
  const type = typeOf(shape.type ?? "Q8_0");
  const height = before + count + after;
  const route = byHead
    ? Float32Array.from({ length: rows * 2 * used }, (_, i) => i % (2 * used))
    : randomRoute(numbers, rows, used, experts);
  const width = perExpert ? used * k : k;
  const x = numbers.floats(rows * width);
  const small: number[] = [5, 5];
  const add = (values: Float32Array): number => small.push(...values) - values.length;
  const results: Float32Array[] = [];
  const total = experts * height;
  const piece = shape.piece ?? total;
  /** Words of each piece of each part, from one binding a piece. */
  const bindings = Array.from({ length: Math.ceil(total / piece) }, (): number[] => [1, 1, 1, 1]);
  const parts: ExpertPart[][] = bindings.map(() => []);
  for (let p = 0; p < (gate ? 2 : 1); p++) {
    const { bytes, values } = randomRows(type, total, k, 10 * p + 3);
    const bias = vectors ? numbers.floats(total, 0.2) : undefined;
    const scale = vectors ? numbers.floats(experts) : undefined;
    const at = { bias: bias ? add(bias) : NONE, scale: scale ? add(scale) : NONE };
    bindings.forEach((words, i) => {
      const pieceRows = Math.min(piece, total - i * piece);
      parts[i].push({
        ...at,
        height,
        first: before,
        base: words.length,
        pieceFirst: i * piece,
        pieceRows,
      });
      const rowSize = bytes.length / total;
      const held = bytes.slice(i * piece * rowSize, (i * piece + pieceRows) * rowSize);
      words.push(...wordsOf(type, held, pieceRows * k));
      while (words.length % 4 !== 0) words.push(1);
    });
    const weight = new DecodedMatrix(values, k);
    const expert = { weight, height, first: before, out: count, bias, scale };
    results.push(linearOnCpu(x, route, used, perExpert, expert));
  }
  const expected = gate ? gated(results[0], results[1], gate, 1.702, 0.2) : results[0];

  const from = placeOf("x", width, { offset: 4, gap: 4 });
  const chosen = placeOf("route", 2 * used, { offset: 3, gap: 1 });
  const lists = placeOf("lists", groupWidth(used), { offset: 4 });
  const to = placeOf("out", used * count, { offset: 5, gap: 3 });
  const calls: KernelCall[] = [];
  const sorted = tiled && !byHead;
  if (sorted) calls.push(moeGroup({ route: chosen, lists, experts, used, rows, layer: 0 }));
  const buffers: Record<string, Contents> = {
    x: spread(from, x),
    route: spread(chosen, route),
    lists: poisoned(roomFor(lists, rows)),
    small: Float32Array.from(small),
    out: poisoned(roomFor(to, rows)),
  };
  bindings.forEach((words, i) => {
    buffers[`weights:${i}`] = Uint32Array.from(words);
    const call = {
      ...about,
      type,
      weights: read(`weights:${i}`),
      parts: parts[i],
      k,
      count,
      x: from,
      perExpert,
      route: byHead ? undefined : chosen,
      lists: sorted ? lists : undefined,
      tiled,
      out: to,
      experts,
      used,
      rows,
      gate: gate && { kind: gate, alpha: 1.702, limit: 0.2 },
    };
    const { lanes = 1, subgroup = 0 } = shape;
    calls.push(
      moeLinear(call, {
        threads: 64,
        lanes,
        weightRows: 4,
        batchWeightRows: 4,
        unroll: shape.unroll ?? false,
        subgroup,
        tile: 32,
      }),
    );
  });
  expectRows(to, (await runCalls({ calls, buffers, rows: rowsOf(rows) }, "out")).bits, expected);
}

describe.skipIf(!gpuAvailable).each([
  { kernel: "moeMatvec", tiled: false },
  { kernel: "moeMatmul", tiled: true },
])("$kernel.wgsl", ({ tiled }) => {
  const common = { experts: 6, used: 2, k: 96, out: 37, tiled };
  it("gives the CPU's sums", async () => {
    for (const rows of [1, 5, 70]) await checkLinear({ ...common, rows });
    await checkLinear({ ...common, rows: 3, experts: 130, used: 9 });
    await checkLinear({ ...common, rows: 40, experts: 1, used: 1 });
  });
  it("reads a run a choice", () => checkLinear({ ...common, rows: 9, perExpert: true }));
  it("adds biases, multiplies by factors, and takes a part of an expert's rows", () =>
    checkLinear({ ...common, rows: 7, vectors: true, before: 3, after: 2 }));
  it.each(["silu", "swigluOai"] as const)("gate and up as one: %s", async (gate) => {
    await checkLinear({ ...common, rows: 7, gate });
    await checkLinear({ ...common, rows: 2, gate, vectors: true, before: 4 });
  });
  it("leaves to other dispatches what another piece holds", async () => {
    await checkLinear({ ...common, rows: 11, piece: 74 });
    await checkLinear({ ...common, rows: 11, piece: 74, gate: "silu", vectors: true });
    // Pieces that end inside an expert.
    await checkLinear({ ...common, rows: 11, piece: 50, vectors: true });
  });
  it("goes head by head without a route", async () => {
    for (const rows of [2, 45])
      await checkLinear({ ...common, rows, used: 6, byHead: true, perExpert: true });
  });
  it.each(["F32", "F16", "Q4_K", "MXFP4", "IQ2_S"])("decodes %s", async (type) => {
    // Rows of floats may have any length: here less than 32 columns, and half of 32 past the end.
    for (const k of type === "F32" || type === "F16" ? [20, 48] : [256])
      await checkLinear({ ...common, type, rows: 4, k, perExpert: k === 20 });
  });
  it.skipIf(tiled)("spreads a sum over lanes", async () => {
    for (const gate of [undefined, "silu"] as const)
      await checkLinear({ ...common, k: 352, rows: 3, lanes: 16, gate, unroll: true });
  });
  it.skipIf(tiled || subgroup < 2)("lets lanes meet in subgroups", async () => {
    for (const gate of [undefined, "silu"] as const)
      await checkLinear({
        ...common,
        k: 352,
        rows: 3,
        lanes: subgroup,
        gate,
        subgroup,
      });
  });
});

describe.skipIf(!gpuAvailable)("moeSum.wgsl and moeScale.wgsl", () => {
  const [rows, used, width] = [5, 3, 70];
  const numbers = new Numbers(8);
  const route = randomRoute(numbers, rows, used, 9);
  const chosen = placeOf("route", 2 * used, { offset: 3 });

  it.each([
    { weighted: true, added: false },
    { weighted: true, added: true },
    { weighted: false, added: false },
  ])("sums: %j", async ({ weighted, added }) => {
    const x = numbers.floats(rows * used * width);
    const residual = added ? numbers.floats(rows * width) : undefined;
    const expected = sumOnCpu(x, route, used, weighted);
    if (residual) residual.forEach((v, i) => (expected[i] += v));
    const from = placeOf("x", used * width, { gap: 4 });
    const plus = placeOf("plus", width, { offset: 2 });
    const out = placeOf("out", width, { offset: 1, gap: 5 });
    const call = moeSum({
      ...about,
      x: from,
      route: chosen,
      residual: residual && plus,
      out,
      used,
      weighted,
    });
    const buffers = {
      x: spread(from, x),
      route: spread(chosen, route),
      ...(residual && { plus: spread(plus, residual) }),
      out: poisoned(roomFor(out, rows)),
    };
    const { bits } = await runCalls({ calls: [call], buffers, rows: rowsOf(rows) }, "out");
    expectRows(out, bits, expected);
  });
  it("weighs the input", async () => {
    const x = numbers.floats(rows * width);
    const from = placeOf("x", width, { gap: 4 });
    const out = placeOf("out", used * width, { offset: 1 });
    const call = moeScale({ ...about, x: from, route: chosen, out, used });
    const buffers = {
      x: spread(from, x),
      route: spread(chosen, route),
      out: poisoned(roomFor(out, rows)),
    };
    const { bits } = await runCalls({ calls: [call], buffers, rows: rowsOf(rows) }, "out");
    expectRows(out, bits, scaleOnCpu(x, route, used));
  });
});
