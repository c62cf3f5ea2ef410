import { describe, expect, it } from "vitest";
import { read, write } from "../../src/kernels/call.ts";
import { elementwise } from "../../src/kernels/elementwise.ts";
import { Arena, type Slot } from "../../src/plan/arena.ts";
import { checkCalls } from "../../src/plan/plan.ts";
import { Numbers, placeOf } from "../kernels/run.ts";

const overlap = (a: Slot, b: Slot): boolean =>
  a.buffer === b.buffer && a.offset < b.offset + b.size && b.offset < a.offset + a.size;

describe("arena", () => {
  it("never gives room that is taken, nor in a buffer to avoid", () => {
    for (let seed = 1; seed <= 40; seed++) {
      const numbers = new Numbers(seed);
      const arena = new Arena();
      const live: Slot[] = [];
      for (let i = 0; i < 300; i++) {
        if (live.length > 0 && numbers.integer(0, 2) === 0) {
          const [gone] = live.splice(numbers.integer(0, live.length - 1), 1);
          arena.free(gone);
          continue;
        }
        const avoid = new Set(live.filter(() => numbers.integer(0, 3) === 0).map((s) => s.buffer));
        const size = numbers.integer(1, 1000);
        const slot = arena.allocate(size, avoid);
        expect(slot.size).toBeGreaterThanOrEqual(size);
        expect(slot.offset % 64).toBe(0);
        expect(avoid.has(slot.buffer)).toBe(false);
        expect(live.filter((other) => overlap(slot, other))).toEqual([]);
        expect(slot.offset + slot.size).toBeLessThanOrEqual(arena.sizes[slot.buffer]);
        live.push(slot);
      }
    }
  });
  it("uses room again", () => {
    const arena = new Arena();
    const first = arena.allocate(100, new Set());
    const second = arena.allocate(100, new Set([first.buffer]));
    arena.free(first);
    expect(arena.allocate(128, new Set([second.buffer]))).toEqual(first);
    expect(arena.sizes).toEqual([128, 128]);
  });
});

describe("checkCalls", () => {
  const call = elementwise({
    kind: "scale",
    a: placeOf("arena:0", 4),
    out: placeOf("arena:1", 4),
    label: "scale",
    layer: 0,
  });
  it("passes calls that read some buffers and write others", () => {
    checkCalls([call, { ...call, bindings: [read("a"), read("a"), write("b")] }]);
  });
  it.each([
    [[read("arena:0"), read("small"), write("arena:0")]],
    [[write("arena:0"), write("arena:0")]],
    // Apart in the buffer, but WebGPU forbids that as well.
    [[read("arena:0", 0, 256), write("arena:0", 256, 256)]],
  ])("finds a buffer that is bound twice and written", (bindings) => {
    expect(() => checkCalls([call, { ...call, bindings }])).toThrow('binds "arena:0" twice');
  });
  it("finds a call that binds more storage buffers than every device allows", () => {
    const many = [0, 1, 2, 3, 4, 5, 6].map((i) => read(`b${i}`));
    expect(() => checkCalls([{ ...call, bindings: many }])).toThrow("binds 9 storage buffers");
    checkCalls([{ ...call, bindings: many.slice(1) }]);
  });
});
