/** Batch invariance: the bits of a row's logits do not depend on the rows that are computed beside it. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { GpuExecutor } from "../../src/gpu/executor.ts";
import type { StepRequest } from "../../src/graph/requests.ts";
import { gpuAvailable, openTestGpu } from "../gpu.ts";
import { openExecutor, openModel } from "../plan/models.ts";

const SEQUENCES = 8;

const bits = (logits: Float32Array | undefined): Uint32Array =>
  new Uint32Array((logits ?? new Float32Array()).slice().buffer);

describe.skipIf(!gpuAvailable).each([
  { name: "qwen3", tuning: { lanes: 1, splits: 1 } },
  { name: "quantized/llama-Q8_0", tuning: { lanes: 16, splits: 16 } },
])("$name with $tuning.lanes lanes", ({ name, tuning }) => {
  let executor: GpuExecutor;
  let tokens: readonly number[];
  /** Lengths that end in the middle of a page, at its end, and behind it. */
  const lengths = [1, 31, 32, 5, 40, 17, 33, 9];

  beforeAll(async () => {
    const model = await openModel(name);
    tokens = model.tokens;
    executor = await openExecutor(await openTestGpu(), model, {
      maxSequences: SEQUENCES,
      contextLength: 1024,
      chunk: 8,
      tuning,
    });
    for (let sequence = 0; sequence < SEQUENCES; sequence++)
      await executor.step([
        { sequence, input: tokens.slice(0, lengths[sequence]), outputs: "none" },
      ]);
  });
  afterAll(() => executor.dispose());

  /** Computes rows and takes them back. */
  async function run(requests: readonly StepRequest[]): Promise<Uint32Array[]> {
    const results = await executor.step(requests);
    for (const { sequence } of requests) executor.rewind(sequence, lengths[sequence]);
    return results.map(({ rows }) => bits(rows));
  }
  const row = (sequence: number, count = 1): StepRequest => ({
    sequence,
    input: tokens.slice(lengths[sequence], lengths[sequence] + count),
    outputs: "all",
    read: true,
  });

  it("holds among rows of other sequences", async () => {
    const alone: Uint32Array[] = [];
    for (let sequence = 0; sequence < SEQUENCES; sequence++)
      alone.push((await run([row(sequence)]))[0]);
    for (const count of [2, 3, 5, 8]) {
      const order = Array.from({ length: count }, (_, i) => (3 * i + count) % SEQUENCES);
      const together = await run(order.map((sequence) => row(sequence)));
      expect(together).toEqual(order.map((sequence) => alone[sequence]));
    }
  });
  it("holds among rows of the same sequence", async () => {
    const sequence = 5;
    const width = (await run([row(sequence)]))[0].length;
    const single: Uint32Array[] = [];
    for (let i = 0; i < 8; i++) {
      const token = tokens[lengths[sequence] + i];
      const [{ rows: logits }] = await executor.step([
        { sequence, input: [token], outputs: "all", read: true },
      ]);
      single.push(bits(logits));
    }
    executor.rewind(sequence, lengths[sequence]);
    for (const count of [2, 3, 5, 8]) {
      const [all] = await run([row(sequence, count)]);
      for (let i = 0; i < count; i++)
        expect(all.subarray(i * width, (i + 1) * width)).toEqual(single[i]);
    }
  });
});
