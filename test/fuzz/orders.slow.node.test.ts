/** Ten thousand steps in random orders on the CPU path and over a worker: see orders.ts. */
import { describe, expect, it } from "vitest";
import { fixture } from "../fixture.ts";
import { play } from "./play.ts";

/** Milliseconds after which no further order begins. */
const TIME = 150_000;

describe("orders of calls", async () => {
  const bytes = await fixture("reference/archs/llama.gguf");
  const load = { device: "cpu", contextLength: 64 } as const;

  it.each([
    ["on the CPU path", false],
    ["over a worker", true],
  ] as const)(
    "%s end in results and typed errors, in time, and leave nothing",
    async (_, inWorker) => {
      const how = { bytes, load, inWorker, steps: 100, limit: 5000 };
      const { steps, faults } = await play(inWorker ? 1000 : 1, 50, TIME, how);
      expect(faults).toEqual([]);
      expect(steps).toBeGreaterThan(1000);
    },
  );
});
