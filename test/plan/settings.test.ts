import { describe, expect, it } from "vitest";
import { resolveSettings } from "../../src/plan/settings.ts";
import type { Capabilities } from "../../src/platform/capabilities.ts";

const gpu: Capabilities = {
  name: "Some Adapter",
  vendor: "",
  architecture: "",
  software: false,
  f16: true,
  subgroups: true,
  subgroupMinSize: 32,
  subgroupMaxSize: 32,
  packedDot: true,
  timestamps: false,
  limits: { maxBufferSize: 256 << 20, maxStorageBufferBindingSize: 128 << 20 },
  features: [],
};
const context = { contextLength: 64 };

describe("the settings of a model on a device", () => {
  it("have the documented defaults", () => {
    expect(resolveSettings(context, gpu)).toMatchObject({
      ...context,
      maxSequences: 1,
      cacheTypeK: "f16",
      cacheTypeV: "f16",
      chunk: 512,
      int8: false,
      noFuse: [],
      maxBinding: 128 << 20,
      maxPieceBytes: 128 << 20,
    });
    expect(resolveSettings(context, { ...gpu, software: true }).chunk).toBe(64);
  });

  it("are what was given", () => {
    const given = {
      contextLength: 128,
      maxSequences: 3,
      cacheTypeK: "q8_0",
      cacheTypeV: "f32",
      chunk: 16,
      stepsInFlight: 2,
      noFuse: ["residual"],
      maxPieceBytes: 4096,
    } as const;
    expect(resolveSettings(given, gpu)).toMatchObject(given);
  });

  it("take what was measured on this adapter alone", () => {
    const usual = resolveSettings(context, gpu).tuning;
    const measured = { adapter: gpu.name, lanes: usual.lanes * 2 };
    const other = { adapter: "Another", lanes: usual.lanes * 4, tile: 32 };
    const lanes = (...tuning: (typeof measured)[]): number =>
      resolveSettings({ ...context, tuning }, gpu).tuning.lanes;
    expect(lanes(other, measured)).toBe(measured.lanes);
    expect(lanes(measured, other)).toBe(measured.lanes);
    expect(lanes(other)).toBe(usual.lanes);
    // What was not measured stays as it was.
    expect(resolveSettings({ ...context, tuning: [measured] }, gpu).tuning).toMatchObject({
      ...usual,
      lanes: measured.lanes,
    });
  });

  it("have signed bytes where they are wanted and there are packed products", () => {
    const int8 = (wanted: "auto" | "on" | "off", packedDot: boolean, faster: boolean): boolean => {
      const tuning = [{ adapter: gpu.name, int8: faster }];
      return resolveSettings({ ...context, int8: wanted, tuning }, { ...gpu, packedDot }).int8;
    };
    for (const wanted of ["auto", "on", "off"] as const)
      for (const packed of [true, false])
        for (const faster of [true, false])
          expect(int8(wanted, packed, faster)).toBe(
            packed && (wanted === "on" || (wanted === "auto" && faster)),
          );
  });

  it("switch fusions off that are slower on the device", () => {
    const without = (tuning: object, int8: "on" | "off" = "off"): readonly string[] =>
      resolveSettings(
        { ...context, int8, noFuse: ["residual"], tuning: [{ adapter: gpu.name, ...tuning }] },
        gpu,
      ).noFuse;
    expect(without({ fuseNorm: true, fuseStore: true })).toEqual(["residual"]);
    expect(without({ fuseNorm: false, fuseStore: true })).toEqual(["residual", "norm"]);
    expect(without({ fuseNorm: true, fuseStore: false })).toEqual(["residual", "append"]);
    // The kernel that makes signed bytes has the norm in it.
    expect(without({ fuseNorm: false, fuseStore: true }, "on")).toEqual(["residual"]);
  });
});
