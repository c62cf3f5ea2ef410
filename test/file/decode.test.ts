import { beforeAll, describe, expect, it } from "vitest";
import { WebggufError } from "../../src/base/errors.ts";
import { dequantize } from "../../src/file/decode/index.ts";
import { quantByName, quants } from "../../src/file/quants.ts";
import { fixture, fixtureJson } from "../fixture.ts";

interface Index {
  types: { name: string; ggml_type: number; block_size: number; type_size: number }[];
}

const folder = "reference/quants";
const weightTypes = quants.filter((type) => !type.data);

/** Number of places where the bit patterns differ, NaN payloads included. */
async function differences(name: string, kind: "" | ".rand"): Promise<number> {
  const { types } = await fixtureJson<Index>(`${folder}/index.json`);
  const stem = `${folder}/${types.find((type) => type.name.toUpperCase() === name)?.name}${kind}`;
  const bytes = await fixture(`${stem}.bin`);
  const wanted = new Uint32Array((await fixture(`${stem}.f32`)).slice().buffer);
  const found = new Float32Array(wanted.length);
  dequantize(quantByName(name)!, bytes, found, found.length);
  const bits = new Uint32Array(found.buffer);
  return wanted.reduce((sum, value, i) => sum + (value === bits[i] ? 0 : 1), 0);
}

describe("the table of types", () => {
  let index: Index;
  beforeAll(async () => {
    index = await fixtureJson<Index>(`${folder}/index.json`);
  });

  it("has llama.cpp's ids and block sizes", () => {
    for (const { name, ggml_type, block_size, type_size } of index.types)
      expect(quantByName(name)).toMatchObject({
        id: ggml_type,
        elements: block_size,
        bytes: type_size,
        data: false,
      });
    expect(weightTypes.length).toBe(index.types.length);
  });
});

describe("dequantize", () => {
  it.each(weightTypes.map((type) => type.name))(
    "%s is bit-exact on quantised rows",
    async (name) => {
      expect(await differences(name, "")).toBe(0);
    },
  );
  it.each(weightTypes.map((type) => type.name))(
    "%s is bit-exact on random blocks",
    async (name) => {
      expect(await differences(name, ".rand")).toBe(0);
    },
  );

  it("decodes data types as numbers", () => {
    const bytes = new Uint8Array(16);
    const view = new DataView(bytes.buffer);
    view.setFloat64(0, 0.1, true);
    view.setBigInt64(8, -7n, true);
    const out = new Float32Array(2);
    dequantize(quantByName("F64")!, bytes, out, 1);
    expect(out[0]).toBe(Math.fround(0.1));
    dequantize(quantByName("I64")!, bytes.subarray(8), out, 1);
    expect(out[0]).toBe(-7);
    view.setInt32(0, -70000, true);
    dequantize(quantByName("I32")!, bytes, out, 1);
    expect(out[0]).toBe(-70000);
    view.setInt16(0, -300, true);
    dequantize(quantByName("I16")!, bytes, out, 1);
    expect(out[0]).toBe(-300);
    view.setInt8(0, -3);
    dequantize(quantByName("I8")!, bytes, out, 1);
    expect(out[0]).toBe(-3);
  });

  it("works on a view that starts at an odd byte", () => {
    const bytes = new Uint8Array(1 + 34);
    bytes.set([0x00, 0x3c, 5, 251], 1);
    const out = new Float32Array(32);
    dequantize(quantByName("Q8_0")!, bytes.subarray(1), out, 32);
    expect([...out.subarray(0, 3)]).toEqual([5, -5, 0]);
  });

  it("refuses arrays that are too short and counts that are no whole blocks", () => {
    const type = quantByName("Q8_0")!;
    const out = new Float32Array(64);
    expect(() => dequantize(type, new Uint8Array(33), out, 32)).toThrow(WebggufError);
    expect(() => dequantize(type, new Uint8Array(68), out, 33)).toThrow(WebggufError);
    expect(() => dequantize(type, new Uint8Array(102), out, 96)).toThrow(WebggufError);
  });
});
