/** Tensors that are split over several bindings, all of them, give the logits of the whole ones. */
import { describe, expect, it } from "vitest";
import { planFor } from "../../src/plan/model-plan.ts";
import { nmse } from "../conformance/archs.ts";
import { gpuAvailable, openTestGpu } from "../gpu.ts";
import {
  everyClass,
  joined,
  logitsOf,
  openExecutor,
  openModel,
  optionsOf,
  type TestModel,
} from "./models.ts";

/** Rows of the longest kind that a piece may hold. */
const cases = [
  { name: "llama-all-bias", rows: 20 },
  { name: "llama-fused-qkv", rows: 7 },
  { name: "llama-ropefreqs-tied", rows: 9 },
  { name: "quantized/llama-Q8_0", rows: 10 },
  { name: "phi3", rows: 11 },
  // Two of the four experts.
  { name: "qwen3moe", rows: 50 },
];

async function pieceBytes(model: TestModel, rows: number): Promise<number> {
  const { placement } = planFor(model.graph, model.file, await openTestGpu(), optionsOf());
  const longest = Math.max(...[...placement.matrices.values()].map((m) => m.rowBytes));
  return Math.ceil((rows * longest) / 256) * 256;
}

describe.skipIf(!gpuAvailable)("split tensors", () => {
  it.each(cases)("$name, $rows rows a piece", async ({ name, rows }) => {
    const gpu = await openTestGpu();
    const model = await openModel(name);
    const run = async (maxPieceBytes?: number): Promise<[Float32Array, number[]]> => {
      const executor = await openExecutor(gpu, model, { ...(maxPieceBytes && { maxPieceBytes }) });
      try {
        const logits = joined(await logitsOf(executor, model.tokens, everyClass));
        const { matrices } = executor.model.placement;
        return [logits, [...matrices.values()].map((m) => m.pieces.length)];
      } finally {
        await executor.dispose();
      }
    };
    const [whole, one] = await run();
    expect(Math.max(...one)).toBe(1);
    const [split, pieces] = await run(await pieceBytes(model, rows));
    // At least the embedding, the output and the largest of the layers.
    expect(pieces.filter((n) => n > 1).length).toBeGreaterThanOrEqual(3);
    expect(nmse(split, whole)).toBeLessThanOrEqual(1e-10);
  });
  it("leave out the fusion that needs two tensors in one buffer", async () => {
    const model = await openModel("llama");
    const gpu = await openTestGpu();
    const { graph, file } = model;
    const gated = (maxPieceBytes?: number): boolean =>
      planFor(graph, file, gpu, optionsOf({ ...(maxPieceBytes && { maxPieceBytes }) })).plans.some(
        (plan) =>
          plan.calls.some(
            (call) => call.variant.includes("gated") && call.kernel !== "elementwise",
          ),
      );
    expect(gated()).toBe(true);
    expect(gated(await pieceBytes(model, 5))).toBe(false);
  });
  it("are refused when a single row fits no piece", async () => {
    const { graph, file } = await openModel("llama");
    const gpu = await openTestGpu();
    const plan = () => planFor(graph, file, gpu, optionsOf({ maxPieceBytes: 4 }));
    expect(plan).toThrow(expect.objectContaining({ code: "device/limit" }));
  });
});
