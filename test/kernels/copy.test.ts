/** copy.wgsl against the CPU path's slices, concatenations and choices of rows. */

import { describe, it } from "vitest";
import { concat, select, slice } from "../../src/cpu/ops/layout.ts";
import { OUTPUT_ROWS } from "../../src/kernels/call.ts";
import { copy } from "../../src/kernels/copy.ts";
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

const about = { select: false, label: "test", layer: 0 };
const numbers = new Numbers(6);

describe.skipIf(!gpuAvailable)("copy.wgsl", () => {
  it.each([
    { rows: 1, groups: 1, run: 9, offset: 4, width: 5 },
    { rows: 4, groups: 3, run: 50, offset: 1, width: 33 },
    { rows: 37, groups: 2, run: 70, offset: 0, width: 69 },
  ])("slices runs of a row: $rows rows, $groups × $width", async (one) => {
    const { rows, groups, run, offset, width } = one;
    const x = placeOf("x", groups * run, { offset: 3 });
    const out = placeOf("out", groups * width, { offset: 2, gap: 2 });
    const values = numbers.floats(rows * groups * run);
    const part = { width, groups, from: offset, fromRun: run, to: 0, toRun: width };
    const { bits } = await runCalls(
      {
        calls: [copy({ ...about, x, out, ...part })],
        buffers: { x: spread(x, values), out: poisoned(roomFor(out, rows)) },
        rows: rowsOf(rows),
      },
      "out",
    );
    expectRows(out, bits, slice(values, offset, width, run), 0);
  });
  it("joins parts run by run", async () => {
    const [rows, groups] = [5, 3];
    const widths = [4, 65, 2];
    const parts = widths.map((width, i) => ({
      place: placeOf(`x${i}`, groups * width, { offset: i }),
      values: numbers.floats(rows * groups * width),
    }));
    const toRun = widths.reduce((a, b) => a + b, 0);
    const out = placeOf("out", groups * toRun, { offset: 1, gap: 1 });
    let to = 0;
    const calls = parts.map(({ place: x }, i) => {
      const width = widths[i];
      const call = copy({ ...about, x, out, width, groups, from: 0, fromRun: width, to, toRun });
      to += width;
      return call;
    });
    const sources = parts.map(
      ({ place, values }) => [place.buffer, spread(place, values)] as const,
    );
    const { bits } = await runCalls(
      {
        calls,
        buffers: { ...Object.fromEntries(sources), out: poisoned(roomFor(out, rows)) },
        rows: rowsOf(rows),
      },
      "out",
    );
    const joined = concat(
      parts.map((part) => part.values),
      rows * groups,
    );
    expectRows(out, bits, joined, 0);
  });
  it("takes the rows whose output is wanted", async () => {
    const [rows, width] = [40, 67];
    const x = placeOf("x", width, { offset: 3 });
    const out = placeOf("out", width, { offset: 2, gap: 2, domain: OUTPUT_ROWS });
    const values = numbers.floats(rows * width);
    const wanted = [0, 7, 8, 39];
    const run = { width, groups: 1, from: 0, fromRun: 0, to: 0, toRun: 0 };
    const { bits } = await runCalls(
      {
        calls: [copy({ ...about, x, out, ...run, select: true })],
        buffers: { x: spread(x, values), out: poisoned(roomFor(out, rows)) },
        rows: rowsOf(rows, { output: (row) => wanted.includes(row) }),
      },
      "out",
    );
    expectRows(out, bits, select(values, wanted, width), 0);
  });
});
