import { describe, expect, it } from "vitest";
import {
  HEADER,
  HEADER_WORDS,
  RECORD,
  RECORD_WORDS,
  SAMPLING,
  SAMPLING_WORDS,
} from "../../src/plan/step-layout.ts";
import { encodeStep, type Row, SAMPLED, slotBytes } from "../../src/plan/steps.ts";

const sampling = {
  temperature: 0.5,
  topK: 40,
  topP: 0.9,
  minP: 0.25,
  seed: 2 ** 33 + 7,
  penalties: { lastN: 64, repeat: 1.5, frequency: 0.25, presence: 0.125 },
};
const rows: readonly Row[] = [
  { sequence: 3, position: 7, token: 11, end: 9, output: false },
  { sequence: 3, position: 8, token: SAMPLED, end: 9, output: true, sampling },
  { sequence: 1, position: 0, token: 5, end: 1, output: true },
  { sequence: 0, position: 4, token: 0, end: 5, output: true, given: 2, components: [4, 6, 7, 0] },
];

/** The words of a step by their names, as a shader finds them. */
function decode(
  words: Uint32Array,
  base: number,
): {
  header: Record<string, number>;
  records: Record<string, number>[];
  outputs: number[];
  settings: Record<string, number>[];
} {
  const named = (at: number, list: Readonly<Record<string, number>>): Record<string, number> =>
    Object.fromEntries(Object.entries(list).map(([name, word]) => [name, words[at + word]]));
  const header = named(base, HEADER);
  const count = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
  return {
    header,
    records: count(header.rows).map((r) => named(base + HEADER_WORDS + RECORD_WORDS * r, RECORD)),
    outputs: count(header.outputs).map((i) => words[base + header.outputList + i]),
    settings: count(header.outputs).map((i) =>
      named(base + header.sampling + SAMPLING_WORDS * i, SAMPLING),
    ),
  };
}

/** A step behind `base` words, in a slot that holds something else already. */
function encoded(base = 0): Uint32Array {
  const words = new Uint32Array(base + slotBytes(rows.length) / 4).fill(0xdeadbeef);
  encodeStep(words, base, rows, 17);
  return words;
}
const bits = (value: number): number => new Uint32Array(Float32Array.of(value).buffer)[0];

describe("a step", () => {
  it("has room for every word that its list names", () => {
    for (const [words, size] of [
      [HEADER, HEADER_WORDS],
      [RECORD, RECORD_WORDS],
      [SAMPLING, SAMPLING_WORDS],
    ] as const)
      expect(Object.keys(words).length).toBeLessThanOrEqual(size);
  });
  it("tells rows, their outputs and their runs", () => {
    const { header, records, outputs } = decode(encoded(), 0);
    expect(header).toMatchObject({ rows: 4, outputs: 3, results: 17, runs: 3 });
    expect(outputs).toEqual([1, 2, 3]);
    const common = { given: 0, runEnd: 2, runFirst: 0 };
    expect(records[0]).toMatchObject({ ...common, sequence: 3, position: 7, token: 11, end: 9 });
    expect(records[1]).toMatchObject({ ...common, position: 8, token: SAMPLED, end: 9 });
    expect(records.map((record) => [record.runFirst, record.runEnd])).toEqual([
      [0, 2],
      [0, 2],
      [2, 3],
      [3, 4],
    ]);
    expect(records.slice(0, header.runs).map((record) => record.ithRun)).toEqual([0, 2, 3]);
  });
  it("gives a row the components of its position, and the index of a given row plus one", () => {
    const { records } = decode(encoded(), 0);
    const components = records.map((r) => [r.time, r.height, r.width, r.extra]);
    expect(components).toEqual([
      [7, 7, 7, 7],
      [8, 8, 8, 8],
      [0, 0, 0, 0],
      [4, 6, 7, 0],
    ]);
    expect(records.map((record) => record.given)).toEqual([0, 0, 0, 3]);
  });
  it("carries sampling settings as 32-bit words, and greedy ones for a row without", () => {
    const { settings } = decode(encoded(), 0);
    expect(settings[0]).toEqual({
      topK: 40,
      topP: bits(0.9),
      logMinP: bits(Math.log(0.25)),
      temperature: bits(0.5),
      seedLow: 7,
      seedHigh: 2,
      lastN: 64,
      repeat: bits(1.5),
      frequency: bits(0.25),
      presence: bits(0.125),
    });
    expect(settings[1]).toMatchObject({ topK: 1, topP: bits(1), temperature: bits(1), lastN: 0 });
    expect(settings[2]).toEqual(settings[1]);
  });
  it("leaves nothing of what stood in its slot, and nothing outside of it", () => {
    const fresh = decode(encoded(), 0);
    const stale = (one: Record<string, number>): string[] =>
      Object.keys(one).filter((name) => one[name] === 0xdeadbeef && name !== "ithRun");
    for (const one of [fresh.header, ...fresh.records, ...fresh.settings])
      expect(stale(one)).toEqual([]);
    const words = encoded(64);
    expect(words.subarray(0, 64).every((word) => word === 0xdeadbeef)).toBe(true);
    expect(decode(words, 64)).toEqual(fresh);
  });
});
