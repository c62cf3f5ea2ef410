import { describe, expect, it } from "vitest";
import { plainCpu } from "../../src/cpu/open.ts";
import { createGpuExecutor } from "../../src/gpu/open.ts";
import { fixture } from "../fixture.ts";
import { gpuAvailable, openTestGpu } from "../gpu.ts";
import type { Case, MakeExecutor } from "./case.ts";
import { quantCases } from "./quants.ts";

const cases = await quantCases((path) => fixture(`reference/${path}`));

/** The figures of a case that are out of bounds; there must be some within. */
async function failures(one: Case, device: "cpu" | "gpu", make: MakeExecutor): Promise<unknown[]> {
  const outcomes = await one.run({ make, device, precision: "f32" });
  expect(outcomes.length).toBeGreaterThanOrEqual(4);
  return outcomes.filter(({ pass }) => !pass);
}

describe("tensor types on the CPU path", () => {
  it("are all in the reference", () => expect(cases.length).toBeGreaterThanOrEqual(26));
  it.each(cases)("$name", async (one) => {
    expect(await failures(one, "cpu", plainCpu.create)).toEqual([]);
  });
});

describe.skipIf(!gpuAvailable)("tensor types on the GPU", () => {
  it.each(cases)("$name", async (one) => {
    const gpu = await openTestGpu();
    const make: MakeExecutor = (graph, file, options) =>
      createGpuExecutor(graph, file, gpu, { ...options, cacheTypeK: "f32", cacheTypeV: "f32" });
    expect(await failures(one, "gpu", make)).toEqual([]);
  });
});
