import { describe, expect, it } from "vitest";
import { plainCpu } from "../../src/cpu/open.ts";
import { fixture } from "../fixture.ts";
import { readArchIndex, runArch } from "./archs.ts";

const reader = (path: string) => fixture(`reference/${path}`);
const entries = await readArchIndex(reader);

describe("architectures on the CPU path", () => {
  it.each([...entries.keys()])("%s with the f32 cache is exact", async (name) => {
    const rows = await runArch(
      reader,
      name,
      (graph, file, options) =>
        plainCpu.create(graph, file, { ...options, cacheTypeK: "f32", cacheTypeV: "f32" }),
      // Deep models amplify the reference's own rounding; all others are exact to 1e-9.
      { bound: Math.max(1e-9, 4 * Number(entries.get(name)?.noise_floor_nmse ?? 0)) },
    );
    expect(rows.filter((row) => !row.pass)).toEqual([]);
  });

  it("qwen3 with the default f16 cache stays in its bounds", async () => {
    const rows = await runArch(reader, "archs/qwen3", plainCpu.create, { precision: "f16" });
    expect(rows.length).toBeGreaterThan(5);
    expect(rows.filter((row) => !row.pass)).toEqual([]);
  });
});
