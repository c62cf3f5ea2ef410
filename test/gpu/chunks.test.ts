/** How requests become chunks of rows. */
import { describe, expect, it } from "vitest";
import { type ChunkLimits, chunkRows, gather } from "../../src/gpu/chunks.ts";
import { type DeviceSampling, GREEDY, type StepRequest } from "../../src/graph/requests.ts";

const limits: ChunkLimits = {
  ...{ contextLength: 100, maxSequences: 9, vocabulary: 50, givenWidth: 2, causal: true },
  ...{ chunk: 16, outputChunk: 12, outputs: 8 },
};
const chunksOf = (requests: readonly StepRequest[], more: Partial<ChunkLimits> = {}) =>
  chunkRows(requests, { ...limits, ...more }, () => 10);
const request = (
  sequence: number,
  count: number,
  outputs: StepRequest["outputs"],
): StepRequest => ({ sequence, input: Array.from({ length: count }, (_, i) => i), outputs });

describe("chunks", () => {
  it("hold no more rows than a plan does, fewer where every row has an output", () => {
    const sizes = (requests: readonly StepRequest[]) =>
      chunksOf(requests).map((c) => c.rows.length);
    expect(sizes([request(0, 40, "last")])).toEqual([16, 16, 8]);
    expect(sizes([request(0, 40, "all")])).toEqual([12, 12, 12, 4]);
    expect(sizes([request(0, 8, "all")])).toEqual([8]);
    expect(sizes(Array.from({ length: 9 }, (_, s) => request(s, 1, "last")))).toEqual([8, 1]);
  });

  it("give rows their places, across chunks and requests", () => {
    const rows = chunksOf([request(0, 18, "none"), request(1, 2, "last"), request(0, 1, "last")])
      .flatMap((chunk) => chunk.rows)
      .map(({ sequence, position, end, output }) => [sequence, position, end, output]);
    expect(rows.slice(16)).toEqual([
      [0, 26, 27, false],
      [0, 27, 28, false],
      [1, 10, 11, false],
      [1, 11, 12, true],
      [0, 28, 29, true],
    ]);
  });

  it("hold the rows of a sequence side by side", () => {
    const chunks = chunksOf([request(0, 2, "none"), request(1, 2, "none"), request(0, 2, "none")]);
    expect(chunks.map((chunk) => chunk.rows.map((row) => row.sequence))).toEqual([
      [0, 0, 1, 1],
      [0, 0],
    ]);
  });

  it("hold a bidirectional text whole, and let all its rows attend to it", () => {
    const chunks = chunksOf([request(0, 10, "none"), request(1, 10, "none")], { causal: false });
    expect(chunks.map((chunk) => chunk.rows.length)).toEqual([10, 10]);
    expect(chunks[1].rows.map((row) => row.end)).toEqual(Array(10).fill(20));
  });

  it("are sampled as the most demanding request wants", () => {
    const random: DeviceSampling = { ...GREEDY, temperature: 1 };
    const penalties = { lastN: 3, repeat: 2, frequency: 0, presence: 0 };
    const kinds = (...samples: DeviceSampling[]) =>
      chunksOf(samples.map((sample, s) => ({ ...request(s, 1, "last"), sample }))).map(
        (chunk) => chunk.sampling,
      );
    expect(kinds(GREEDY)).toEqual(["greedy"]);
    expect(kinds(random, GREEDY)).toEqual(["random"]);
    expect(kinds({ ...GREEDY, penalties }, random)).toEqual(["penalized"]);
  });

  it("take given rows with their vectors", () => {
    const rows = Float32Array.from({ length: 40 }, (_, i) => i);
    const chunks = chunksOf([
      request(1, 3, "none"),
      { sequence: 0, input: { rows }, outputs: "last" },
    ]);
    expect(chunks.map((chunk) => chunk.rows.length)).toEqual([16, 7]);
    expect(chunks[0].rows.map((row) => row.given).slice(2, 5)).toEqual([undefined, 0, 1]);
    expect(chunks[1].rows.map((row) => row.given)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect([...chunks[1].given![0]]).toEqual([26, 27]);
  });

  it("give each request its own results", () => {
    const requests = [
      { ...request(0, 2, "all"), read: true, sample: GREEDY },
      request(1, 3, "none"),
      { ...request(2, 2, "last"), read: true },
      { ...request(3, 1, "last"), sample: GREEDY },
    ];
    const parts = [
      { rows: Float32Array.of(1, 2, 3, 4), tokens: Int32Array.of(7, 8) },
      { rows: Float32Array.of(5, 6, 9, 9), tokens: Int32Array.of(9, 10) },
    ];
    expect(gather(requests, parts, 2, 2)).toEqual([
      { rows: Float32Array.of(1, 2, 3, 4), tokens: Int32Array.of(7, 8) },
      {},
      { rows: Float32Array.of(5, 6) },
      { tokens: Int32Array.of(10) },
    ]);
  });
});
