import { describe, expect, it } from "vitest";
import { allocate } from "../../src/cpu/allocate.ts";

describe("memory that the runtime does not give", () => {
  it.each([
    ["bytes", Uint8Array, 2 ** 53],
    ["numbers", Float32Array, 2 ** 52],
  ])("is a typed error: %s", (_, kind, length) => {
    const make = (): unknown => allocate<Uint8Array | Float32Array>(kind, length);
    expect(make).toThrow(
      expect.objectContaining({
        code: "device/out-of-memory",
        actual: length * kind.BYTES_PER_ELEMENT,
      }),
    );
  });

  it("is an array of zeros where it is given", () => {
    expect(allocate(Float32Array, 3)).toEqual(new Float32Array(3));
  });
});
