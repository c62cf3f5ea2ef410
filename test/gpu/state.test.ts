/** Recurrent models: chunks and sequences do not change results, and sequences can be shortened. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { GpuExecutor } from "../../src/gpu/executor.ts";
import { Pool } from "../../src/graph/pool.ts";
import { advances, copyDue, SNAPSHOT_ROWS } from "../../src/plan/snapshots.ts";
import { nmse } from "../conformance/archs.ts";
import { fixture } from "../fixture.ts";
import { gpuAvailable, openTestGpu } from "../gpu.ts";
import { joined, logitsOf, openExecutor, openModel, type TestModel } from "../plan/models.ts";

describe.skipIf(!gpuAvailable).each(["lfm2", "mamba2", "qwen35"])("%s", (name) => {
  let model: TestModel;
  let executor: GpuExecutor;
  /** More tokens than the reference has. */
  let tokens: readonly number[];
  beforeAll(async () => {
    model = await openModel(name);
    tokens = Array.from({ length: 100 }, (_, i) => model.tokens[i % model.tokens.length]);
    const room = { contextLength: 256, maxSequences: 3 };
    executor = await openExecutor(await openTestGpu(), model, room);
  });
  afterAll(() => executor?.dispose());

  /** Logits of the tokens from `from` on, given `by` at a time. */
  async function logits(sequence: number, from: number, to: number, by: number) {
    const sizes = Array.from({ length: Math.ceil((to - from) / by) }, (_, i) =>
      Math.min(by, to - from - i * by),
    );
    return joined(await logitsOf(executor, tokens.slice(from), sizes, sequence));
  }

  it("gives llama.cpp's logits however the tokens are cut", async () => {
    const bytes = await fixture(`reference/archs/${name}.logits.f32`);
    const expected = new Float32Array(bytes.slice().buffer);
    const count = model.tokens.length;
    for (const by of [count, 32, 7, 1]) {
      executor.rewind(0, 0);
      expect(nmse(await logits(0, 0, count, by), expected)).toBeLessThanOrEqual(1e-6);
    }
  });

  it("gives the same bits for 1 to 8 rows", async () => {
    executor.rewind(0, 0);
    const one = await logits(0, 0, 24, 1);
    for (const by of [2, 5, 8]) {
      executor.rewind(0, 0);
      expect(await logits(0, 0, 24, by)).toEqual(one);
    }
  });

  it("keeps sequences of one step apart", async () => {
    for (const sequence of [0, 1, 2]) executor.rewind(sequence, 0);
    const alone = await logits(0, 0, 40, 1);
    executor.rewind(0, 0);
    const width = model.graph.widths[model.graph.output];
    const at = [0, 0, 0];
    for (let step = 0; step < 6; step++) {
      const counts = [1 + (step % 3), 4, 2 + (step % 2)];
      const results = await executor.step(
        counts.map((count, sequence) => ({
          sequence,
          input: tokens.slice(at[sequence], at[sequence] + count),
          outputs: "all",
          read: true,
        })),
      );
      results.forEach(({ rows: own }, sequence) => {
        const from = at[sequence] * width;
        at[sequence] += counts[sequence];
        const expected = alone.subarray(from, at[sequence] * width);
        expect(nmse(own, expected)).toBeLessThanOrEqual(1e-10);
      });
    }
  });

  it("goes on from a copy of its state after a rewind", async () => {
    for (const sequence of [0, 1, 2]) executor.rewind(sequence, 0);
    const whole = await logits(0, 0, 100, 32);
    const width = model.graph.widths[model.graph.output];
    await logits(1, 0, 20, 20);
    await logits(1, 20, 100, 4);
    // Copies: at 20, the prompt's end, and at 64 and 96.
    for (const [wanted, reached] of [
      [99, 96],
      [97, 96],
      [95, 64],
      [63, 20],
      [19, 0],
    ]) {
      expect(executor.rewind(1, wanted)).toBe(reached);
      expect(executor.length(1)).toBe(reached);
      const rest = await logits(1, reached, 100, 4);
      expect(nmse(rest, whole.subarray(reached * width))).toBeLessThanOrEqual(1e-10);
    }
  });

  it("counts its state and the copies of it as cache", () => {
    const { model: plan, memory } = executor;
    let bytes = 0;
    for (const [buffer, size] of plan.buffers) if (buffer.startsWith("cache:")) bytes += size;
    expect(memory.cache).toBe(bytes);
    const state = plan.slots.find((slot) => slot.kind === "state")!;
    expect([...plan.buffers.keys()].filter((b) => b.startsWith(`${state.buffer}:`)).length).toBe(3);
  });
});

describe("copies of state", () => {
  /** A pool of one sequence, and the way of the executor with it: whether a copy was made behind a step. */
  const make = () => {
    const shape = { contextLength: 4096, maxSequences: 1, copies: 3, promptCopies: 1 };
    const pool = new Pool(shape);
    const step = (position: number, count: number): string | undefined => {
      pool.computed(0, position + count);
      const due = copyDue({ sequence: 0, position, count }, 8);
      if (due) pool.copyState(0, position + count, due === "prompt");
      return due;
    };
    return { pool, step };
  };
  const lengthOf = (pool: Pool, length: number): number => pool.rewindState(0, length).length;

  it("are made behind prompts and at borders, the older of two first replaced", () => {
    const { pool, step } = make();
    expect(step(0, 9)).toBe("prompt");
    expect(step(9, 8)).toBeUndefined();
    expect(step(17, 8)).toBeUndefined();
    expect(step(25, 8)).toBe("border");
    for (let at = 33; at < 63; at++) expect(step(at, 1)).toBeUndefined();
    expect(step(63, 1)).toBe("border");
    expect(step(64, 40)).toBe("prompt");
    for (let at = 104; at < 127; at++) expect(step(at, 1)).toBeUndefined();
    expect(step(127, 1)).toBe("border");
    expect(pool.rewindState(0, 130)).toEqual({ length: 128, restore: -1 });
    const first = pool.rewindState(0, 127);
    expect(first.length).toBe(104);
    expect(first.restore).toBeGreaterThanOrEqual(0);
    expect(pool.rewindState(0, 104)).toEqual({ length: 104, restore: -1 });
    expect(lengthOf(pool, 103)).toBe(64);
    expect(pool.rewindState(0, 63)).toEqual({ length: 0, restore: -1 });
  });

  it("never go back further than a border and a step", () => {
    const { pool, step } = make();
    step(0, 100);
    for (let at = 100; at < 1000; at++) step(at, 1);
    for (const back of [1, 5, SNAPSHOT_ROWS - 1]) {
      const length = lengthOf(pool, 1000 - back);
      expect(length).toBeGreaterThanOrEqual(1000 - back - 2 * SNAPSHOT_ROWS);
      for (let at = length; at < 1000; at++) step(at, 1);
    }
  });

  it("are due by sequence", () => {
    const row = (sequence: number, position: number) => ({ sequence, position });
    expect(advances([row(2, 5), row(2, 6), row(0, 0), row(1, 9)])).toEqual([
      { sequence: 2, position: 5, count: 2 },
      { sequence: 0, position: 0, count: 1 },
      { sequence: 1, position: 9, count: 1 },
    ]);
  });
});
