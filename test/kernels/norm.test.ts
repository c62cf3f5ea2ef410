/** norm.wgsl against the CPU path's norms. */
import { describe, expect, it } from "vitest";
import { l2Norm, layerNorm, rmsNorm } from "../../src/cpu/ops/norm.ts";
import { NONE } from "../../src/kernels/call.ts";
import { norm } from "../../src/kernels/norm.ts";
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

interface Options {
  readonly kind: "rmsNorm" | "layerNorm" | "l2Norm";
  readonly group: number;
  readonly groups: number;
  readonly rows: number;
  readonly weight?: "group" | "row";
  readonly bias?: boolean;
  readonly eps: number;
  /** The result is added to something. */
  readonly residual?: boolean;
  /** Added to every element: a mean far from 0. */
  readonly shift?: number;
}

async function check(options: Options): Promise<void> {
  const { kind, group, groups, rows, eps } = options;
  const numbers = new Numbers(group + rows);
  const width = group * groups;
  const x = numbers.floats(rows * width).map((v) => v + (options.shift ?? 0));
  const length = options.weight === "row" ? width : group;
  const weight = options.weight && numbers.floats(length);
  const bias = options.bias ? numbers.floats(length) : undefined;
  const small = new Float32Array(3 + 2 * length);
  if (weight) small.set(weight, 3);
  if (bias) small.set(bias, 3 + length);
  const from = placeOf("x", width, { offset: 7, gap: 2 });
  const out = placeOf("out", width, { offset: 3, gap: 5 });
  const other = placeOf("other", width, { offset: 1, gap: 1 });
  const residual = numbers.floats(rows * width);
  const call = norm({
    kind,
    x: from,
    out,
    residual: options.residual ? other : undefined,
    group,
    eps,
    weight: weight ? 3 : NONE,
    bias: bias ? 3 + length : NONE,
    perElement: options.weight === "row" && groups > 1,
    label: "test",
    layer: 0,
  });
  const { bits } = await runCalls(
    {
      calls: [call],
      buffers: {
        x: spread(from, x),
        other: spread(other, residual),
        small,
        out: poisoned(roomFor(out, rows)),
      },
      rows: rowsOf(rows),
    },
    "out",
  );
  const expected =
    kind === "rmsNorm"
      ? rmsNorm(x, weight, eps, group)
      : kind === "layerNorm"
        ? layerNorm(x, weight, bias, eps, group)
        : l2Norm(x, eps, group);
  const sum = expected.map((value, i) => value + (options.residual ? residual[i] : 0));
  expectRows(out, bits, sum);
}

describe.skipIf(!gpuAvailable)("norm.wgsl", () => {
  it.each([1, 3, 40])("normalises whole rows, %i of them", async (rows) => {
    for (const group of [1, 5, 64, 515]) {
      await check({ kind: "rmsNorm", group, groups: 1, rows, weight: "group", eps: 1e-6 });
      await check({
        kind: "layerNorm",
        group,
        groups: 1,
        rows,
        weight: "group",
        bias: true,
        eps: 1e-5,
        shift: 4,
      });
      await check({ kind: "l2Norm", group, groups: 1, rows, eps: 1e-6 });
      await check({
        kind: "rmsNorm",
        group,
        groups: 2,
        rows,
        weight: "row",
        eps: 1e-6,
        residual: true,
      });
    }
  });
  it("normalises heads, with a weight for all of them or for each", async () => {
    for (const kind of ["rmsNorm", "layerNorm", "l2Norm"] as const)
      for (const weight of kind === "l2Norm" ? [undefined] : ([undefined, "group", "row"] as const))
        await check({
          kind,
          group: 36,
          groups: 5,
          rows: 4,
          ...(weight && { weight }),
          bias: kind === "layerNorm" && weight !== undefined,
          eps: 1e-6,
        });
  });
  it("keeps a zero row finite", async () => {
    const out = placeOf("out", 8);
    const call = norm({
      kind: "l2Norm",
      x: placeOf("x", 8),
      out,
      group: 8,
      eps: 1e-6,
      weight: NONE,
      bias: NONE,
      perElement: false,
      label: "test",
      layer: 0,
    });
    const buffers = { x: new Float32Array(16), out: poisoned(16) };
    const { floats } = await runCalls({ calls: [call], buffers, rows: rowsOf(1) }, "out");
    expect([...floats.subarray(0, 8)]).toEqual(new Array(8).fill(0));
  });
});
