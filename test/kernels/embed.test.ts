/** embed.wgsl: which token stood where, for the penalties of later steps. What it gathers is in quants.test.ts. */
import { describe, expect, it } from "vitest";
import { quantByName } from "../../src/file/quants.ts";
import { read } from "../../src/kernels/call.ts";
import { type EmbedCall, embed } from "../../src/kernels/embed.ts";
import { type Row, SAMPLED } from "../../src/plan/steps.ts";
import { gpuAvailable } from "../gpu.ts";
import { placeOf, poisoned, roomFor, runCalls } from "./run.ts";

const CONTEXT = 16;
const UNTOUCHED = 77;
/** Wider than one thread's columns and than one workgroup's. */
const WIDTH = 1040;
const TABLE_ROWS = 12;

const rows: readonly Row[] = [
  { sequence: 1, position: 4, token: 11, end: 5, output: false },
  { sequence: 1, position: 5, token: 3, end: 6, output: true },
  { sequence: 1, position: 6, token: 0, given: 0, end: 7, output: false },
  { sequence: 0, position: 0, token: SAMPLED, end: 1, output: true },
  { sequence: 2, position: 15, token: 0, end: 16, output: true },
];

/** The histories of three sequences after a step; `held`: the rows of the table that each dispatch finds. */
async function histories(
  by: EmbedCall["by"],
  held: readonly (readonly [first: number, count: number])[] = [[0, TABLE_ROWS]],
): Promise<number[][]> {
  const out = placeOf("out", WIDTH);
  const type = quantByName("F32");
  if (!type) throw new Error("no F32");
  const calls = held.map(([first, count]) =>
    embed({
      ...{ type, weights: read("weights"), base: first * WIDTH, first, rows: count },
      ...{ by, offset: 0, out, contextLength: CONTEXT, label: "test" },
    }),
  );
  const buffers = {
    weights: new Float32Array(TABLE_ROWS * WIDTH),
    out: poisoned(roomFor(out, rows.length)),
    sampled: Uint32Array.of(9, 8, 7),
    history: new Uint32Array(3 * CONTEXT).fill(UNTOUCHED),
  };
  const { bits } = await runCalls({ calls, buffers, rows }, "history");
  return [0, 1, 2].map((sequence) => [...bits.slice(sequence * CONTEXT, (sequence + 1) * CONTEXT)]);
}

const untouched = new Array(CONTEXT).fill(UNTOUCHED);
const expected = [
  untouched.with(0, 9),
  untouched.with(4, 11).with(5, 3).with(6, SAMPLED),
  untouched.with(15, 0),
];

describe.skipIf(!gpuAvailable)("embed.wgsl", () => {
  it("writes each row's token down at its position in its sequence, sampled ones too, and none for a given row", async () => {
    expect(await histories("token")).toEqual(expected);
  });
  it("does so from whatever piece of a table has the token", async () => {
    const pieces = [
      [0, 3],
      [3, 4],
      [7, 5],
    ] as const;
    expect(await histories("token", pieces)).toEqual(expected);
  });
  it("writes nothing down for positions", async () => {
    const first = [[0, 16]] as const;
    for (const by of ["position", "first"] as const)
      expect(await histories(by, first)).toEqual([untouched, untouched, untouched]);
  });
});
