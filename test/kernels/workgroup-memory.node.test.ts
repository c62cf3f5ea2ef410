/** Workgroup memory of every variant, counted from its text: every device has 16 KiB, and some have no more. */
import { describe, expect, it } from "vitest";
import { attention, canAppend, fitsTile } from "../../src/kernels/attention.ts";
import { type KernelCall, NONE } from "../../src/kernels/call.ts";
import { compose, variantKey } from "../../src/kernels/compose.ts";
import type { SlotLayout } from "../../src/kernels/slot.ts";
import { layoutSlot } from "../../src/plan/cache-layout.ts";
import { allCalls } from "../checks/variants.ts";
import { placeOf } from "./run.ts";

const MOST = 16384;

/** Bytes of the variables in workgroup memory of a composed shader. */
function workgroupBytes(shader: string): number {
  const constants = new Map<string, string>();
  for (const [, name, value] of shader.matchAll(/^const (\w+) ?= ?(.*);$/gm))
    constants.set(name, value);
  const number = (text: string): number => {
    let sum = text;
    while (/[A-Za-z_]\w*/.test(sum.replace(/\d+u/g, "0")))
      sum = sum.replace(/\b[A-Za-z_]\w*\b/g, (name) => `(${constants.get(name)})`);
    const value = Number(new Function(`return ${sum.replace(/(\d)u\b/g, "$1")};`)());
    expect([text, value > 0]).toEqual([text, true]);
    return Math.floor(value);
  };
  const bytes = (type: string): number => {
    const array = /^array<(.*), ?([^,]+)>$/.exec(type);
    if (array) return bytes(array[1]) * number(array[2]);
    const vector = /^vec([24])</.exec(type);
    if (vector) return 4 * Number(vector[1]);
    const struct = new RegExp(`^struct ${type} ?\\{([^}]*)\\}`, "m").exec(shader);
    if (!struct) return 4;
    const members = struct[1].split(/,\s*\n/).filter((line) => line.includes(":"));
    return members.reduce((sum, one) => sum + bytes(one.slice(one.indexOf(":") + 1).trim()), 0);
  };
  return Array.from(shader.matchAll(/^var<workgroup> \w+: ?(.*);$/gm)).reduce(
    (sum, [, type]) => sum + bytes(type),
    0,
  );
}

const fits = (call: KernelCall): void => {
  const bytes = workgroupBytes(compose(call));
  expect([variantKey(call), bytes, bytes <= MOST]).toEqual([variantKey(call), bytes, true]);
};

describe("workgroup memory", () => {
  it("is counted as WGSL counts it", () => {
    const text = `const N = 4u;
const M = 2u * N;
struct Two {
a: array<f32, N>,
b: f32,
}
var<workgroup> a: array<Two, M>;
var<workgroup> b: array<vec4<f32>, 3u * M>;
var<workgroup> c: array<atomic<u32>, 10>;
var<workgroup> d: u32;
`;
    expect(workgroupBytes(text)).toBe(8 * 20 + 24 * 16 + 40 + 4);
  });
  it("of all variants is no more than every device has", () => {
    let largest = 0;
    for (const call of allCalls()) {
      fits(call);
      largest = Math.max(largest, workgroupBytes(compose(call)));
    }
    expect(largest).toBeGreaterThan(MOST / 2);
  });
  it("of attention is no more than that either, whatever the heads", () => {
    const options = { contextLength: 64, maxSequences: 1, chunk: 64, slack: 32 };
    const tried = { tiled: 0, appending: 0 };
    for (const keyWidth of [32, 64, 80, 96, 128, 192, 256, 288, 512, 576, 1024])
      for (const valueWidth of keyWidth === 576 ? [512, 576] : [keyWidth, 128])
        for (const perKv of [1, 2, 3, 4, 7, 8, 12, 16])
          for (const positions of [1, 4]) {
            const given = {
              kind: "kv",
              layer: 0,
              heads: 1,
              keyWidth,
              valueWidth,
              window: 0,
            } as const;
            const types = { cacheTypeK: "f16", cacheTypeV: "f16" } as const;
            const all = { ...options, ...types };
            const slot = layoutSlot({ ...given, valueIsKeyPrefix: false }, 0, all) as SlotLayout;
            const place = placeOf("x", keyWidth * perKv);
            const about = { label: "", layer: 0, q: place, out: place, scratch: place };
            const none = { sinks: NONE, slopes: NONE, scale: 1, softcap: 0, window: 0 };
            const call = { ...about, ...none, slot, heads: perKv, windowKind: "sliding" } as const;
            const one = { ...call, splits: 1, positions, subgroup: 32, unroll: true, tiled: false };
            for (const made of attention(one)) fits(made);
            if (canAppend(slot, perKv, positions)) {
              const append = { k: place, v: place, qNorm: NONE, kNorm: NONE, eps: 0 };
              for (const made of attention({ ...one, append })) fits(made);
              tried.appending++;
            }
            if (!fitsTile(keyWidth)) continue;
            for (const made of attention({ ...one, tiled: true })) fits(made);
            tried.tiled++;
          }
    expect(tried.tiled).toBeGreaterThan(50);
    expect(tried.appending).toBeGreaterThan(50);
  });
});
