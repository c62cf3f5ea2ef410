import { describe, expect, it } from "vitest";
import type { SlotLayout } from "../../src/kernels/slot.ts";
import { type CacheSettings, layoutSlot, PAGE, ringsOf } from "../../src/plan/cache-layout.ts";

const slot = {
  kind: "kv",
  layer: 3,
  heads: 2,
  keyWidth: 64,
  valueWidth: 32,
  valueIsKeyPrefix: false,
  window: 0,
} as const;
const options: CacheSettings = {
  contextLength: 100,
  maxSequences: 3,
  cacheTypeK: "f32",
  cacheTypeV: "f32",
  chunk: 8,
  slack: 16,
};

const layout = (one: object = {}, how: Partial<CacheSettings> = {}): SlotLayout =>
  layoutSlot({ ...slot, ...one }, 1, { ...options, ...how }) as SlotLayout;

describe("slot layout", () => {
  it.each([
    ["f32", 4 * 32],
    ["f16", 2 * 32],
    ["q8_0", 36],
    ["q4_0", 20],
  ] as const)("stores 32 elements of %s in %i bytes", (type, bytes) => {
    const {
      rowWords,
      valueWord,
      typeName,
      bytes: all,
    } = layout({ valueWidth: 128 }, { cacheTypeK: type, cacheTypeV: type });
    expect(4 * valueWord).toBe(bytes * 4);
    expect(4 * rowWords).toBe(bytes * 12);
    expect(typeName).toBe(type);
    // Whole pages, for all sequences together.
    expect(all).toBe(4 * PAGE * 4 * rowWords);
  });
  it.each([
    // Elements of two heads, then their scales, where there are some.
    ["f16", 20, [24, 24]],
    ["f32", 20, [40, 40]],
    ["q8_0", 32, [16, 20]],
    ["q4_0", 96, [24, 32]],
  ] as const)(
    "begins every head and every row at 16 bytes: %s of width %i",
    (type, width, words) => {
      const types = { cacheTypeK: type, cacheTypeV: type };
      const { keyScales, valueWord, valueScales, rowWords } = layout(
        { keyWidth: width, valueWidth: width },
        types,
      );
      const [elements, all] = words;
      expect([keyScales, valueWord]).toEqual([elements, all]);
      expect([valueScales, rowWords]).toEqual([all + elements, 2 * all]);
    },
  );
  it("keeps f16 where a head is no whole number of blocks", () => {
    const mixed = layout({ keyWidth: 40 }, { cacheTypeK: "q8_0", cacheTypeV: "q4_0" });
    expect(mixed.typeName).toBe("f16/q4_0");
    expect(mixed.valueWord).toBe(40);
  });
  it("stores nothing for values that are part of the keys", () => {
    const latent = layout({ valueIsKeyPrefix: true }, { cacheTypeK: "f16", cacheTypeV: "f32" });
    expect(latent.rowWords).toBe(latent.valueWord);
    expect(latent.typeName).toBe("f16");
  });
  it("keeps a window with room for a chunk and for what may be taken back, where that is less", () => {
    expect(layout({ window: 20 }).ring).toBe(64);
    // Room for the window of each sequence, and for those that others may begin with.
    expect(layout({ window: 20 }).bytes).toBe(64 * 5 * 4 * 192);
    expect(layout({ window: 20 }, { maxSequences: 1 }).bytes).toBe(64 * 4 * 192);
    expect(layout({ window: 90 }).ring).toBe(0);
    expect(layout({ window: 20 }, { chunk: 100 }).ring).toBe(0);
  });
  it("gives each window its entries of the table behind the pages of all rows", () => {
    const slots = [slot, { ...slot, window: 20 }, { ...slot, window: 30 }, { ...slot, window: 20 }];
    const rings = ringsOf(slots, options);
    expect(rings).toEqual([
      { rows: 64, window: 20 },
      { rows: 64, window: 30 },
    ]);
    const layouts = slots.map((one, i) => layoutSlot(one, i, options, rings) as SlotLayout);
    expect(layouts.map(({ pageKind }) => pageKind)).toEqual([0, 1, 2, 1]);
    expect(layouts.map(({ consts }) => consts.FIRST_PAGE)).toEqual([0, 4, 6, 4]);
    expect(layouts.map(({ consts }) => consts.TABLE)).toEqual([8, 8, 8, 8]);
  });
  it("counts recurrent state", () => {
    const state = layoutSlot({ kind: "state", layer: 0, size: 50 }, 2, options);
    expect(state).toMatchObject({ kind: "state", buffer: "cache:2", size: 50, bytes: 600 });
  });
  it("refuses heads that are no whole vec4s", () => {
    expect(() => layout({ keyWidth: 30 })).toThrow("layer 3: head widths 30 and 32");
  });
});
