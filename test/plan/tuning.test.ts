/** The tables of tunings: which GPUs take int8 where it is left to the engine, and that nothing else hangs on a vendor's name. */
import { describe, expect, it } from "vitest";
import { tuningFor } from "../../src/plan/tuning.ts";
import type { Tuning } from "../../src/plan/tuning-types.ts";
import type { Capabilities } from "../../src/platform/types.ts";

const plain: Capabilities = {
  ...{ name: "", vendor: "", architecture: "", software: false, f16: true, timestamps: true },
  ...{ subgroups: true, subgroupMinSize: 32, subgroupMaxSize: 32, packedDot: true },
  ...{ limits: {}, features: [] },
};
const on = (vendor: string, architecture: string, more: Partial<Capabilities> = {}): Tuning =>
  tuningFor({ ...plain, vendor, architecture, ...more });

describe("tuningFor", () => {
  it.each([
    ["nvidia", "ampere", true],
    ["nvidia", "lovelace", true],
    ["nvidia", "", true],
    ["4318", "", true],
    ["nvidia", "maxwell", false],
    ["amd", "rdna-2", true],
    ["amd", "rdna-3", true],
    ["amd", "rdna-1", false],
    ["amd", "gcn-5", false],
    ["apple", "metal-3", false],
    ["4203", "", false],
    ["intel", "xe-2hpg", false],
    ["", "", false],
  ] as const)("int8 on %s %s: %s", (vendor, architecture, int8) => {
    expect(on(vendor, architecture).int8).toBe(int8);
    expect(on(vendor, architecture, { packedDot: false }).int8).toBe(false);
  });
  it("a vendor changes only what its table says", () => {
    const unnamed = on("", "");
    expect(on("nvidia", "ampere")).toEqual({ ...unnamed, int8: true });
    expect(on("apple", "metal-3")).toEqual({ ...unnamed, batchWeightRows: 2 });
  });
  it("software adapters are shaped by what they have, whoever they say they are", () => {
    const software = { software: true, f16: false };
    expect(on("apple", "", software)).toEqual(on("google", "swiftshader", software));
  });
});
