/** ropeStore.wgsl against the CPU path's norm and rope, and its slab against a slab written on the host. */
import { describe, expect, it } from "vitest";
import { rmsNorm } from "../../src/cpu/ops/norm.ts";
import { rope as ropeOnCpu } from "../../src/cpu/ops/rope.ts";
import { RopeAngles } from "../../src/cpu/ops/rope-angles.ts";
import type { RopeTable } from "../../src/graph/ops.ts";
import { ropeAngles } from "../../src/graph/rope.ts";
import type { CacheType } from "../../src/graph/settings.ts";
import { ALL_ROWS, NONE, type Place } from "../../src/kernels/call.ts";
import { ropeStore } from "../../src/kernels/ropeStore.ts";
import type { Row } from "../../src/plan/steps.ts";
import { nmse } from "../conformance/archs.ts";
import { gpuAvailable } from "../gpu.ts";
import { expectRows, Numbers, placeOf, poisoned, roomFor, rowsOf, runCalls } from "./run.ts";
import { Slab, UNWRITTEN } from "./slab.ts";

interface Options {
  readonly heads: number;
  readonly kvHeads: number;
  readonly keyWidth: number;
  readonly valueWidth: number;
  readonly types: readonly [CacheType, CacheType];
  readonly rope?: { start: number; rotated: number; style: "norm" | "neox" };
  readonly norms?: "both" | "keys";
  readonly window?: number;
  readonly rows: readonly Row[];
}

/** NMSE that rounding to a type costs, and what another rounding of the same numbers may cost. */
const rounding = { f32: 1e-12, f16: 3e-7, q8_0: 1e-4, q4_0: 2e-2 };
const noise = { f32: 1e-12, f16: 3e-7, q8_0: 1e-6, q4_0: 1e-4 };

async function check(options: Options): Promise<void> {
  const { heads, kvHeads, keyWidth, valueWidth, rows, window = 0, norms } = options;
  const [cacheTypeK, cacheTypeV] = options.types;
  const numbers = new Numbers(heads * keyWidth);
  const slot = { kind: "kv", layer: 0, heads: kvHeads, keyWidth, valueWidth } as const;
  const sizes = { contextLength: 128, maxSequences: 3, chunk: 8, slack: 4 };
  const cache = { ...sizes, cacheTypeK, cacheTypeV };
  const slab = new Slab({ ...slot, valueIsKeyPrefix: false, window }, cache);
  const untouched = slab.words.slice();

  const widths = { q: heads * keyWidth, k: kvHeads * keyWidth, v: kvHeads * valueWidth };
  const stride = widths.q + widths.k + widths.v + 4;
  const x = numbers.floats(8 + stride * rows.length);
  const part = (offset: number, width: number): Place => ({
    buffer: "x",
    offset: 8 + offset,
    stride,
    width,
    domain: ALL_ROWS,
  });
  const [q, k, v] = [
    part(0, widths.q),
    part(widths.q, widths.k),
    part(widths.q + widths.k, widths.v),
  ];
  const of = (place: Place): Float32Array =>
    Float32Array.from({ length: rows.length * place.width }, (_, i) => {
      const row = Math.floor(i / place.width);
      return x[place.offset + row * stride + (i % place.width)];
    });
  const weights = { q: numbers.floats(keyWidth), k: numbers.floats(keyWidth) };
  const small = Float32Array.from([5, ...weights.q, ...weights.k]);
  const positions = rows.map((row) => row.position);
  const table: RopeTable = {
    rotated: options.rope?.rotated ?? 2,
    base: 10000,
    freqScale: 1,
    extFactor: 0,
    attnFactor: 1,
    betaFast: 32,
    betaSlow: 1,
    originalContext: 128,
  };
  const turned = (values: Float32Array, weight: Float32Array | undefined): Float32Array => {
    const normed = weight ? rmsNorm(values, weight, 1e-6, keyWidth) : values;
    if (!options.rope) return normed;
    const { start, style } = options.rope;
    return ropeOnCpu(normed, positions, keyWidth, start, style, new RopeAngles(table));
  };
  const out = placeOf("out", widths.q, { offset: 2, gap: 1 });
  const call = ropeStore({
    slot: slab.layout,
    q,
    k,
    v,
    out,
    ...(options.rope && { rope: { ...options.rope, angles: 3 } }),
    qNorm: norms === "both" ? 1 : NONE,
    kNorm: norms ? 1 + keyWidth : NONE,
    eps: 1e-6,
    label: "test",
    layer: 0,
  });
  const job = {
    calls: [call],
    buffers: {
      x,
      out: poisoned(roomFor(out, rows.length)),
      [slab.layout.buffer]: untouched,
      angles: Float32Array.from([9, 9, 9, 9, 9, 9, ...ropeAngles(table, 128)]),
      small,
    },
    rows,
    pages: slab.pages,
  };
  expectRows(
    out,
    (await runCalls(job, "out")).bits,
    turned(of(q), norms === "both" ? weights.q : undefined),
  );

  const { bits } = await runCalls(job, slab.layout.buffer);
  const keys = turned(of(k), norms ? weights.k : undefined);
  const values = of(v);
  const pick = (all: Float32Array, row: number, width: number): Float32Array =>
    all.slice(row * width, (row + 1) * width);
  rows.forEach(({ sequence, position }, row) => {
    slab.write(sequence, position, pick(keys, row, widths.k), pick(values, row, widths.v));
  });
  rows.forEach(({ sequence, position }, row) => {
    const stored = slab.read(sequence, position, bits);
    const wanted = slab.read(sequence, position);
    const [effectiveK, effectiveV] = slab.layout.typeName.includes("/")
      ? (slab.layout.typeName.split("/") as [CacheType, CacheType])
      : ([slab.layout.typeName, slab.layout.typeName] as [CacheType, CacheType]);
    expect(nmse(stored.keys, wanted.keys)).toBeLessThanOrEqual(noise[effectiveK]);
    expect(nmse(stored.values, wanted.values)).toBeLessThanOrEqual(noise[effectiveV]);
    const own = { k: pick(keys, row, widths.k), v: pick(values, row, widths.v) };
    expect(nmse(stored.keys, own.k)).toBeLessThanOrEqual(rounding[effectiveK]);
    expect(nmse(stored.values, own.v)).toBeLessThanOrEqual(rounding[effectiveV]);
  });
  // Whatever the host's slab leaves alone is left alone.
  const wrong = slab.words.findIndex((word, i) => (word === UNWRITTEN) !== (bits[i] === UNWRITTEN));
  expect(wrong).toBe(-1);
}

const rows = [
  ...rowsOf(1, { sequence: 2, from: 100 }),
  ...rowsOf(9, { sequence: 0, from: 60 }),
  ...rowsOf(1, { sequence: 1 }),
];
const shape = { heads: 4, kvHeads: 2, keyWidth: 64, valueWidth: 64, rows };

describe.skipIf(!gpuAvailable)("ropeStore.wgsl", () => {
  it.each([
    ["f32", "f32"],
    ["f16", "f16"],
    ["q8_0", "q8_0"],
    ["q4_0", "q4_0"],
    ["q4_0", "f16"],
  ] as const)("norms, turns and stores keys in %s, values in %s", (typeK, typeV) => {
    const rope = { start: 0, rotated: 64, style: "neox" } as const;
    return check({ ...shape, types: [typeK, typeV], rope, norms: "both" });
  });
  it("takes heads of any width, and turns a part of them", async () => {
    for (const style of ["norm", "neox"] as const)
      await check({
        heads: 3,
        kvHeads: 3,
        keyWidth: 36,
        valueWidth: 20,
        types: ["q8_0", "f32"],
        rope: { start: 6, rotated: 22, style },
        norms: "keys",
        rows,
      });
  });
  it("stores without turning and without norms", () => check({ ...shape, types: ["f32", "f32"] }));
  it("writes round and round where a slot keeps a window", () =>
    check({ ...shape, types: ["f16", "f16"], window: 20 }));
});
