/** Accesses to workgroup memory are separated by barriers, and no barrier stands for nothing: see test/checks/barriers.ts. */
import { describe, expect, it } from "vitest";
import { compose, sourceOf, variantKey } from "../../src/kernels/compose.ts";
import { hazards } from "../checks/barriers.ts";
import { allCalls } from "../checks/variants.ts";

/** Variables whose elements are kept apart in ways that the text does not show, by kernel. */
const apart: Readonly<Record<string, readonly string[]>> = {
  // Two halves in turn: a row's sums are read while the next row's are written to the other half.
  ssm: ["partials"],
  wkv7: ["partials"],
  deltaNet: ["partials"],
  // A part for each digit.
  sampleRuns: ["bins", "sums"],
  sampleToken: ["bins", "sums"],
  // A thread rotates a pair of elements, which no other touches.
  ropeStore: ["head"],
  attention: ["head"],
};

/** Where the barriers stand that keep these apart, of which the text shows nothing. */
const unseen = /^wgsl\/(ssm|wkv7|deltaNet|ropeStore|lib\/queries-append|lib\/topk)\.wgsl/;

/** One variant of each kind: of the tensor types Q8_0 alone, and a dozen of what the cache's types multiply. */
const variants = (() => {
  const found = new Map<string, { readonly call: Parameters<typeof compose>[0]; code: string }>();
  const counts = new Map<string, number>();
  for (const call of allCalls()) {
    const key = variantKey(call);
    const type = call.snippets.find((name) => name.startsWith("quant/")) ?? "quant/q8_0";
    const count = counts.get(call.kernel) ?? 0;
    if (type !== "quant/q8_0" || found.has(key) || count >= 100) continue;
    if (/^attention|^ropeStore/.test(call.kernel) && count >= 12) continue;
    counts.set(call.kernel, count + 1);
    found.set(key, { call, code: compose(call) });
  }
  return [...found.values()];
})();

describe("barriers", () => {
  it("separate what threads write from what others read", () => {
    for (const { call, code } of variants) {
      const found = hazards(code).filter((name) => !apart[call.kernel]?.includes(name));
      expect([variantKey(call), found]).toEqual([variantKey(call), []]);
    }
  });
  it("are all needed: without any one of them some variant has a fault", () => {
    const needed = new Map<string, boolean>();
    for (const { call, code } of variants) {
      const before = hazards(code).length;
      for (const { 0: text, index } of code.matchAll(/workgroupBarrier\(\);/g)) {
        const source = sourceOf(call, code.slice(0, index).split("\n").length);
        const place = `${call.kernel}: ${source}`;
        if (unseen.test(source) || needed.get(place)) continue;
        const without = code.slice(0, index) + code.slice(index + text.length);
        needed.set(place, hazards(without).length > before);
      }
    }
    expect([...needed].filter(([, is]) => !is)).toEqual([]);
    expect(needed.size).toBeGreaterThan(30);
  });
});

describe("hazards", () => {
  const shader = (body: string): string =>
    `const ON = true;\nvar<workgroup> a: array<f32, 64>;\nvar<workgroup> n: atomic<u32>;\nfn main(thread: u32) {\n${body}\n}\n`;
  const barrier = "workgroupBarrier();";

  it.each([
    ["a neighbour's element", "a[thread] = 1.0; let v = a[thread + 1u];"],
    ["an element written in a branch", "if (ON) { a[thread] = 1.0; } let v = a[0];"],
    ["one thread's result", "if (thread == 0u) { a[0] = 1.0; } let v = a[0];"],
    [
      "the next turn of a loop",
      `for (var i = 0u; i < 4u; i++) { a[thread] = 1.0; ${barrier} let v = a[i]; }`,
    ],
    ["a count still being made", "atomicAdd(&n, 1u); let v = atomicLoad(&n);"],
  ])("finds %s", (_, body) => {
    expect(hazards(shader(body)).length).toBe(1);
  });
  it.each([
    ["a thread's own element", "a[thread] = 1.0; let at = thread; let v = a[thread];"],
    ["what a barrier separates", `a[thread] = 1.0; ${barrier} let v = a[0];`],
    ["one thread's own work", "if (thread > 0u) { return; } a[0] = 1.0; let v = a[1];"],
    ["a branch that is never taken", "a[thread] = 1.0; if (!ON) { let v = a[0]; }"],
    [
      "a loop with two barriers",
      `for (var i = 0u; i < 4u; i++) { a[thread] = 1.0; ${barrier} let v = a[i]; ${barrier} }`,
    ],
  ])("accepts %s", (_, body) => {
    expect(hazards(shader(body))).toEqual([]);
  });
});
