/**
 * The comparisons of this folder fail when a kernel is wrong: a shader's text is changed as a careless
 * edit might change it, and the result must be off. A change that no longer fits the text is an error.
 */
import { describe, expect, it } from "vitest";
import { narrow } from "../../scripts/wgsl-module.ts";
import { l2Norm } from "../../src/cpu/ops/norm.ts";
import { NONE } from "../../src/kernels/call.ts";
import { norm } from "../../src/kernels/norm.ts";
import { gpuAvailable } from "../gpu.ts";
import { attentionCase } from "./attention-case.ts";
import { linearCase } from "./linear-case.ts";
import { type Job, mistake, Numbers, placeOf, poisoned, rowsOf, runCalls, spread } from "./run.ts";

type Case = Omit<ReturnType<typeof attentionCase>, "job"> & { readonly job: Job };

async function outcome(one: Case, from = "", to = ""): Promise<string | undefined> {
  let found = from === "";
  const mutate = (text: string): string => {
    found ||= text.includes(narrow(from));
    return text.replaceAll(narrow(from), narrow(to));
  };
  const { bits } = await runCalls({ ...one.job, ...(from !== "" && { mutate }) }, "out");
  if (!found) throw new Error(`no shader has "${from}"`);
  return mistake(one.out, bits, one.expected);
}

const linear = (options: Parameters<typeof linearCase>[0]): Case => {
  const { job, made, expected } = linearCase(options);
  return { job, out: made, expected };
};

const q4 = { type: "Q4_0", k: 96, parts: [10, 7] };
const few = (): Case => linear({ ...q4, rows: 3, bias: true });
const many = (): Case => linear({ ...q4, rows: 12, bias: true });
const normed = (): Case =>
  linear({ type: "Q8_0", k: 128, parts: [9], rows: 2, norm: true, residual: true });
const attending = (tiled: boolean): Case =>
  attentionCase({
    tiled,
    heads: 2,
    kvHeads: 1,
    keyWidth: 32,
    types: ["q4_0", "q8_0"],
    window: 20,
    sinks: true,
    sequences: [
      [50, 1],
      [30, 12],
    ],
  });
const windowed = (): Case => attending(false);
const tiled = (): Case => attending(true);
const split = (): Case =>
  attentionCase({ heads: 2, kvHeads: 2, keyWidth: 32, splits: 4, sequences: [[90, 1]] });

function l2(): Case {
  const x = new Numbers(4).floats(3 * 40);
  const out = placeOf("out", 40);
  const from = placeOf("x", 40);
  const call = norm({
    kind: "l2Norm",
    x: from,
    out,
    group: 20,
    eps: 1e-6,
    weight: NONE,
    bias: NONE,
    perElement: false,
    label: "test",
    layer: 0,
  });
  const buffers = { x: spread(from, x), out: poisoned(200) };
  const job = { calls: [call], buffers, rows: rowsOf(3) };
  return { job, out, expected: l2Norm(x, 1e-6, 20) };
}

/** What is wrong, where, what stands there, and what takes its place. */
const mutants: readonly (readonly [string, () => Case, string, string])[] = [
  ["a wrong scale", few, "sums.x * inv * params.scale", "sums.x * inv * params.scale * 1.001"],
  ["a wrong scale", many, "sums.x * inv * params.scale", "sums.x * inv * params.scale * 1.001"],
  ["a dropped last row", few, "r < rows", "r + 1u < rows"],
  ["a dropped last row", many, "if (row >= rows)", "if (row + 1u >= rows)"],
  ["a dropped last output", few, "first + i < params.count", "first + i + 1u < params.count"],
  ["a swapped nibble", few, "half << 2u", "(1u - half) << 2u"],
  [
    "a bias of the next output",
    few,
    "[segment] + o - params.starts[segment]",
    "[segment] + o + 1u - params.starts[segment]",
  ],
  ["a norm of the sum, not the mean", normed, "square / f32(params.k)", "square"],
  [
    "a residual of another row",
    normed,
    "row * params.residual_stride",
    "0u * params.residual_stride",
  ],
  ["an ignored window", windowed, "if (window == 0u)", "if (true)"],
  ["an ignored window", tiled, "position >= begins[r]", "true"],
  ["an ignored causal mask", tiled, "position < ends[r]", "true"],
  ["a row of another sequence", tiled, "row_sequence(last) == sequence", "true"],
  ["a window off by one", windowed, "position + 1u - window", "position - window"],
  ["an ignored sink", windowed, "exp(sink - next)", "0.0"],
  ["a causal mask off by one", windowed, "let end = row_end(row);", "let end = row_end(row) - 1u;"],
  ["a swapped nibble of a key", windowed, "q >> 4u, q >> 8u", "q >> 8u, q >> 4u"],
  ["a scale of the next block", tiled, "value_scales + kv_block", "value_scales + 1u + kv_block"],
  ["the second half of a load taken for the first", tiled, "(halves & 4u) != 0u", "false"],
  ["keys of a turn left out", tiled, "turn < K_HEAD", "turn < K_HEAD - 1u"],
  [
    "an ignored page table",
    windowed,
    "pages[sequence * TABLE + FIRST_PAGE + page] * PAGE",
    "(sequence * TABLE + FIRST_PAGE + page) * PAGE",
  ],
  [
    "a split that is left out",
    split,
    "for (var s = 0u; s < SPLITS; s++) { total",
    "for (var s = 1u; s < SPLITS; s++) { total",
  ],
  ["a neighbour's group", l2, "id.x * params.group", "0u * params.group"],
];

describe.skipIf(!gpuAvailable)("mutants", () => {
  it.each(mutants)("%s is found", async (_, make, from, to) => {
    expect(await outcome(make(), from, to)).toBeDefined();
  });
  it("pass unchanged", async () => {
    for (const make of new Set(mutants.map(([, one]) => one)))
      expect(await outcome(make())).toBeUndefined();
  });
});
