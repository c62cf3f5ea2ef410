/** attention.wgsl, attentionReduce.wgsl and attentionTile.wgsl against the CPU path's attention over the same stored keys and values. */
import { describe, it } from "vitest";
import { fitsTile } from "../../src/kernels/attention.ts";
import { gpuAvailable, openTestGpu } from "../gpu.ts";
import { type AttentionOptions, attentionCase } from "./attention-case.ts";
import { expectRows, runCalls } from "./run.ts";

/** Threads of the smallest subgroup. */
const subgroup = await (async () => {
  if (!gpuAvailable) return 0;
  const { subgroups, subgroupMinSize } = (await openTestGpu()).capabilities;
  return subgroups ? subgroupMinSize : 0;
})();

/** Both kernels, where the tiled one applies. */
async function check(options: AttentionOptions): Promise<void> {
  const whole = (options.splits ?? 1) === 1 && fitsTile(options.keyWidth);
  for (const tiled of whole ? [false, true] : [false]) {
    const { job, out, expected } = attentionCase({ ...options, tiled });
    expectRows(out, (await runCalls(job, "out")).bits, expected);
  }
}

/** One row of each of several sequences, as in decoding. */
const decode = [
  [1, 1],
  [33, 1],
  [64, 1],
  [65, 1],
  [300, 1],
] as const;
/** A first chunk, and one that goes on. */
const prefill = [
  [40, 40],
  [75, 20],
] as const;
const both = [...decode, ...prefill];

describe.skipIf(!gpuAvailable)("attention.wgsl", () => {
  it.each([1, 4, 16])("cuts a row's range into %i parts", async (splits) => {
    const common = { heads: 4, kvHeads: 2, keyWidth: 32, splits };
    await check({ ...common, sequences: decode });
    await check({ ...common, sequences: prefill, sinks: true });
    await check({ ...common, sequences: both, window: 50 });
  });
  it.each([
    { heads: 6, kvHeads: 1, keyWidth: 20, valueWidth: 36 },
    { heads: 3, kvHeads: 3, keyWidth: 100, valueWidth: 4 },
    { heads: 2, kvHeads: 2, keyWidth: 4, valueWidth: 260 },
    { heads: 5, kvHeads: 1, keyWidth: 256 },
    { heads: 3, kvHeads: 1, keyWidth: 80, valueWidth: 64, prefix: true },
    { heads: 2, kvHeads: 1, keyWidth: 576, valueWidth: 512, prefix: true },
  ])("takes heads of any width: %j", async (shape) => {
    const types = ["f32", "f16"] as const;
    await check({ ...shape, types, sequences: both });
    await check({ ...shape, types, sequences: decode, splits: 4 });
  });
  it.each([
    ["f32", "f32"],
    ["f16", "f16"],
    ["q8_0", "q8_0"],
    ["q4_0", "q4_0"],
    ["q8_0", "q4_0"],
    ["f16", "q8_0"],
  ] as const)("reads keys in %s and values in %s", (typeK, typeV) =>
    check({ heads: 4, kvHeads: 2, keyWidth: 64, types: [typeK, typeV], sequences: both }),
  );
  it.skipIf(subgroup < 2)("lets threads share keys", async () => {
    for (const options of [
      { keyWidth: 64, types: ["f16", "q8_0"], positions: 1, splits: 4 },
      { keyWidth: 64, types: ["q8_0", "f16"], positions: 1, window: 50, alibi: 8 },
      // Loads that are no multiple of the threads; heads that are no whole loads.
      { keyWidth: 80, types: ["q4_0", "f32"], positions: 1, heads: 6, softcap: 5, sinks: true },
      { keyWidth: 20, valueWidth: 36, types: ["f16", "f16"], positions: 1, unroll: true },
    ] as const) {
      const shape = { heads: 4, kvHeads: 2, sequences: both, subgroup, ...options };
      const { job, out, expected } = attentionCase(shape);
      expectRows(out, (await runCalls(job, "out")).bits, expected);
    }
  });
  it.each([
    { windowKind: "sliding", ring: false },
    { windowKind: "sliding", ring: true },
    { windowKind: "chunked", ring: false },
    { windowKind: "chunked", ring: true },
    { windowKind: "symmetric", ring: false },
  ] as const)("keeps to its window: %j", async (one) => {
    for (const window of [1, 17, 64])
      await check({ heads: 2, kvHeads: 1, keyWidth: 32, window, sequences: both, ...one });
  });
  it("attends both ways", async () => {
    const common = { heads: 2, kvHeads: 2, keyWidth: 32, causal: false };
    const texts = [
      [1, 1],
      [40, 40],
      [70, 70],
    ] as const;
    await check({ ...common, sequences: texts });
    await check({ ...common, sequences: texts, window: 16, windowKind: "symmetric" });
    await check({ ...common, sequences: texts, alibi: 8 });
  });
  it("bends, caps and sinks scores", async () => {
    for (const splits of [1, 16]) {
      const common = { heads: 4, kvHeads: 4, keyWidth: 32, splits, sequences: both };
      await check({ ...common, softcap: 5 });
      await check({ ...common, sinks: true, window: 20 });
      // A head count that is no power of two has two kinds of slopes.
      await check({ ...common, heads: 6, kvHeads: 2, alibi: 8 });
    }
  });
});
