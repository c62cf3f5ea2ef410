import { describe, expect, it } from "vitest";
import { encodeParams, kernel, OUTPUT_ROWS, perRow } from "../../src/kernels/call.ts";
import { wgsl } from "../../wgsl/mod.ts";

const sizes = { heads_a_group: 1, out_offset: 2, out_stride: 3, state_offset: 4, state_size: 5 };
const none = [0, 0, 0, 0] as const;
const sources = { x: [6, 7, 8, 9], dt: none, b: none, c: none, a: none, d: none } as const;
const options = { bindings: [], grid: perRow(1, 0) };

describe("kernel", () => {
  it("takes a kernel's parameters by name, and no others: the compiler says so", () => {
    const params = { width: 1, x_offset: 2, x_stride: 3, runs: 4 };
    kernel("argmax", "test", { ...options, params });
    // @ts-expect-error a parameter is missing
    kernel("argmax", "test", { ...options, params: { width: 1, x_offset: 2, x_stride: 3 } });
    // @ts-expect-error a parameter has another name
    kernel("argmax", "test", { ...options, params: { width: 1, x_at: 2, x_stride: 3, runs: 4 } });
    // @ts-expect-error a parameter is one too many
    kernel("argmax", "test", { ...options, params: { ...params, domain: OUTPUT_ROWS } });
    // @ts-expect-error a number stands where a vector should
    kernel("shift", "test", { ...options, params: { width: 1, ...sizes, x: 1 } });
    // @ts-expect-error there is no such kernel
    expect(() => kernel("argmin", "test", { ...options, params })).toThrow("no file argmin.wgsl");
  });
  it("binds the lookup tables for the types that have them", () => {
    const params = { base: 0, first: 0, count: 0, out_first: 0 };
    const tables = ["quant/iq2_s", "quant/q8_0"].map(
      (snippet) => kernel("dequant", "test", { ...options, snippets: [snippet], params }).tables,
    );
    expect(tables).toEqual([true, false]);
  });
});

describe("encodeParams", () => {
  it("puts parameters in the order of the struct, whatever theirs, vectors at whole vectors", () => {
    const params = { bias: none, ...sources, ...sizes, head_width: 64, channels: 128 };
    const words = new Uint32Array(
      encodeParams(kernel("ssm", "test", { ...options, params })).buffer,
    );
    // Seven numbers, one that only aligns, then seven vectors.
    expect(words.length).toBe(8 + 4 * 7);
    expect([...words.slice(0, 12)]).toEqual([128, 64, 1, 2, 3, 4, 5, 0, 6, 7, 8, 9]);
  });
  it("writes floats as floats and wraps integers", () => {
    const params = {
      ...{ group: 1, domain: 2, x_offset: 3, x_stride: 4, out_offset: -1, out_stride: 6 },
      ...{ weight: 7, bias: 8, weight_step: 9, eps: 0.5, residual_offset: 11, residual_stride: 12 },
    };
    const bytes = encodeParams(kernel("norm", "test", { ...options, params }));
    expect(new Float32Array(bytes.buffer)[9]).toBe(0.5);
    expect(new Uint32Array(bytes.buffer)[4]).toBe(0xffffffff);
    expect(bytes.length % 16).toBe(0);
  });
  it("lays every struct out as its types want", () => {
    const width = (type: string): number => Number(/^vec(\d)/.exec(type)?.[1] ?? 1);
    for (const [name, { params }] of Object.entries(wgsl)) {
      if (!params) continue;
      const values = Object.fromEntries(
        params.map(([field, type], i) => [
          field,
          width(type) === 1 ? i + 1 : new Array(width(type)).fill(i + 1),
        ]),
      );
      const call = { kernel: name as "copy", params: values, snippets: [], ...options };
      const about = { tables: false, label: "", layer: 0, variant: "", bytes: 0 };
      const bytes = encodeParams({ ...call, ...about });
      let at = 0;
      params.forEach(([field, type], i) => {
        at = Math.ceil(at / width(type)) * width(type);
        const float = type.includes("f32");
        const words = float ? new Float32Array(bytes.buffer) : new Uint32Array(bytes.buffer);
        const found = [...words.slice(at, at + width(type))];
        expect([name, field, found]).toEqual([name, field, new Array(width(type)).fill(i + 1)]);
        at += width(type);
      });
    }
  });
});
