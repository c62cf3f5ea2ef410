/** elementwise.wgsl against the CPU path's functions of single elements. */
import { describe, it } from "vitest";
import { activate } from "../../src/cpu/ops/activation.ts";
import * as cpu from "../../src/cpu/ops/elementwise.ts";
import { gated } from "../../src/cpu/ops/gated.ts";
import { positionScale } from "../../src/cpu/ops/positionScale.ts";
import { activationNumber } from "../../src/kernels/activation.ts";
import { type ElementwiseCall, elementwise } from "../../src/kernels/elementwise.ts";
import { gpuAvailable } from "../gpu.ts";
import {
  type Contents,
  expectRows,
  Numbers,
  placeOf,
  poisoned,
  roomFor,
  rowsOf,
  runCalls,
  spread,
} from "./run.ts";

const FROM = 30;

/** Runs a kind on [rows][width] values; b as the call says. */
async function check(
  values: Float32Array,
  width: number,
  call: Pick<ElementwiseCall, "kind" | "b" | "repeat" | "act" | "constants">,
  b: Contents | undefined,
  expected: Float32Array,
): Promise<void> {
  const rows = values.length / width;
  const a = placeOf("a", width, { offset: 5, gap: 1 });
  const out = placeOf("out", width, { offset: 2, gap: 3 });
  const { bits } = await runCalls(
    {
      calls: [elementwise({ ...call, a, out, label: "test", layer: 0 })],
      buffers: {
        a: spread(a, values),
        ...(b && { [call.b?.buffer ?? "b"]: b }),
        out: poisoned(roomFor(out, rows)),
      },
      rows: rowsOf(rows, { from: FROM }),
    },
    "out",
  );
  expectRows(out, bits, expected);
}

const shapes = [
  { rows: 1, width: 7 },
  { rows: 5, width: 130 },
  { rows: 35, width: 64 },
];

/** Small and large numbers of both signs, also past where exp overflows. */
const telling = (numbers: Numbers, count: number): Float32Array<ArrayBuffer> =>
  numbers.floats(count).map((v, i) => v * [0.01, 1, 6, 25][i % 4]);

describe.skipIf(!gpuAvailable).each(shapes)(
  "elementwise.wgsl, $rows × $width",
  ({ rows, width }) => {
    const numbers = new Numbers(rows * width);
    const x = numbers.floats(rows * width, 3);
    const other = numbers.floats(rows * width, 3);
    const second = placeOf("b", width, { offset: 9, gap: 7 });
    const b = { buffer: "b", offset: 9, stride: second.stride, period: width };
    const weight = numbers.floats(width);
    const small = Float32Array.from([9, 9, 9, ...weight]);
    const vector = { buffer: "small", offset: 3, stride: 0, period: width };

    it("adds and multiplies values", async () => {
      const contents = spread(second, other);
      await check(x, width, { kind: "add", b }, contents, cpu.add(x, other));
      await check(x, width, { kind: "mul", b }, contents, cpu.mul(x, other, 1));
    });
    it("adds and multiplies weights, also shorter ones that repeat", async () => {
      await check(x, width, { kind: "add", b: vector }, small, cpu.addWeight(x, weight));
      await check(x, width, { kind: "mul", b: vector }, small, cpu.mulWeight(x, weight, 1));
      if (width % 2 !== 0) return;
      const half = { ...vector, period: width / 2 };
      const part = weight.subarray(0, width / 2);
      await check(x, width, { kind: "mul", b: half }, small, cpu.mulWeight(x, part, 1));
    });
    it("multiplies by a value that is narrower", async () => {
      if (width % 2 !== 0) return;
      const narrow = placeOf("b", width / 2, { offset: 4 });
      const values = numbers.floats((rows * width) / 2);
      const one = { buffer: "b", offset: 4, stride: narrow.stride, period: width / 2 };
      const call = { kind: "mul", b: one, repeat: 2 } as const;
      await check(x, width, call, spread(narrow, values), cpu.mul(x, values, 2));
    });
    it("scales, clamps and caps", async () => {
      const constants = [0.3, -0.7];
      await check(x, width, { kind: "scale", constants }, undefined, cpu.scale(x, 0.3, -0.7));
      const limits = [-0.5, 1.25];
      await check(
        x,
        width,
        { kind: "clamp", constants: limits },
        undefined,
        cpu.clamp(x, -0.5, 1.25),
      );
      const large = x.map((v) => 100 * v);
      await check(
        large,
        width,
        { kind: "softcap", constants: [30] },
        undefined,
        cpu.softcap(large, 30),
      );
    });
    it("scales by position", async () => {
      const positions = Array.from({ length: rows }, (_, i) => FROM + i);
      const expected = positionScale(x, positions, 8, 0.1, 1);
      await check(x, width, { kind: "positionScale", constants: [8, 0.1, 1] }, undefined, expected);
    });
  },
);

describe.skipIf(!gpuAvailable)("activations", () => {
  const numbers = new Numbers(8);
  const [rows, width] = [3, 77];
  const x = telling(numbers, rows * width);
  const kinds = [
    "silu",
    "gelu",
    "geluErf",
    "geluQuick",
    "relu",
    "relu2",
    "sigmoid",
    "tanh",
    "softplus",
    "exp",
    "negExp",
  ] as const;
  it.each(kinds)("%s", (kind) => {
    const values = kind === "exp" || kind === "negExp" ? x.map((v) => v / 4) : x;
    const expected = values.map((v) => activate(kind, v));
    return check(
      values,
      width,
      { kind: "activation", act: activationNumber(kind) },
      undefined,
      expected,
    );
  });
  it("xielu", () => {
    const params = [0.8, 0.6, 0.5, -1e-6];
    const expected = x.map((v) => activate("xielu", v, params));
    return check(x, width, { kind: "xielu", constants: params }, undefined, expected);
  });
  it.each(["silu", "geluErf", "swigluOai"] as const)("gated by %s", (kind) => {
    const up = telling(numbers, rows * width);
    const place = placeOf("b", width);
    return check(
      x,
      width,
      {
        kind: "gated",
        act: activationNumber(kind),
        b: { buffer: "b", offset: 0, stride: place.stride, period: width },
        constants: [1.702, 7],
      },
      spread(place, up),
      gated(x, up, kind, 1.702, 7),
    );
  });
  it("stay finite where exp and tanh overflow", () => {
    const huge = Float32Array.from([-1e4, -100, -89, 89, 100, 1e4]);
    const expected = huge.map((v) => activate("silu", v));
    const call = { kind: "activation", act: activationNumber("silu") } as const;
    return check(huge, 6, call, undefined, expected);
  });
});
