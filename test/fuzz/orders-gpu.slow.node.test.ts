/** Five hundred steps in random orders on the GPU path, with devices that are lost: see orders.ts. */
import { describe, expect, it } from "vitest";
import { fixture } from "../fixture.ts";
import { gpuAvailable, openTestGpu } from "../gpu.ts";
import { play } from "./play.ts";

describe.skipIf(!gpuAvailable)("orders of calls on the GPU", () => {
  it("end in results and typed errors, soon after a loss, and leave nothing", {
    timeout: 600_000,
  }, async () => {
    (await openTestGpu()).dispose();
    const bytes = await fixture("reference/archs/llama.gguf");
    const load = { device: "gpu", contextLength: 64, chunk: 8 } as const;
    const how = { bytes, load, inWorker: false, steps: 50, limit: 90_000, lose: true };
    const { steps, faults } = await play(1, 10, 150_000, how);
    expect(faults).toEqual([]);
    // All of them, unless the machine is busy with something else.
    expect(steps).toBeGreaterThanOrEqual(100);
  });
});
