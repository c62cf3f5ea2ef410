/** rope.wgsl against the CPU path's rope. */
import { describe, it } from "vitest";
import { rope as ropeOnCpu } from "../../src/cpu/ops/rope.ts";
import { RopeAngles } from "../../src/cpu/ops/rope-angles.ts";
import type { RopeTable } from "../../src/graph/ops.ts";
import { ropeAngles } from "../../src/graph/rope.ts";
import { rope } from "../../src/kernels/rope.ts";
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

const POSITIONS = 64;

const table = (rotated: number): RopeTable => ({
  rotated,
  base: 10000,
  freqScale: 0.5,
  extFactor: 1,
  attnFactor: 1.1,
  betaFast: 32,
  betaSlow: 1,
  originalContext: 32,
});

describe.skipIf(!gpuAvailable)("rope.wgsl", () => {
  it.each([
    { style: "norm", headWidth: 64, start: 0, rotated: 64, heads: 3, rows: 1 },
    { style: "neox", headWidth: 64, start: 0, rotated: 64, heads: 1, rows: 7 },
    { style: "norm", headWidth: 20, start: 4, rotated: 10, heads: 5, rows: 9 },
    { style: "neox", headWidth: 36, start: 10, rotated: 26, heads: 2, rows: 40 },
    { style: "neox", headWidth: 160, start: 0, rotated: 40, heads: 2, rows: 2 },
  ] as const)("turns pairs, $style $headWidth wide, $rotated from $start", async (one) => {
    const { style, headWidth, start, rotated, heads, rows } = one;
    const numbers = new Numbers(headWidth);
    const width = heads * headWidth;
    const x = numbers.floats(rows * width);
    const from = placeOf("x", width, { offset: 3, gap: 1 });
    const out = placeOf("out", width, { offset: 6, gap: 2 });
    const before = 5; // pairs of another table in front
    const angles = new Float32Array(2 * before + POSITIONS * rotated).fill(9);
    angles.set(ropeAngles(table(rotated), POSITIONS), 2 * before);
    const at = { headWidth, start, rotated, style, angles: before, label: "test", layer: 0 };
    const { bits } = await runCalls(
      {
        calls: [rope({ x: from, out, ...at })],
        buffers: { x: spread(from, x), angles, out: poisoned(roomFor(out, rows)) },
        rows: rowsOf(rows, { from: 11 }),
      },
      "out",
    );
    const positions = Array.from({ length: rows }, (_, i) => 11 + i);
    const known = new RopeAngles(table(rotated));
    expectRows(out, bits, ropeOnCpu(x, positions, headWidth, start, style, known));
  });
});
