/** Plans of mixtures of experts: their dispatches, experts split over buffers, and llama.cpp's logits. */
import { beforeAll, describe, expect, it } from "vitest";
import { planFor } from "../../src/plan/model-plan.ts";
import { nmse } from "../conformance/archs.ts";
import { fixture } from "../fixture.ts";
import { gpuAvailable, openTestGpu } from "../gpu.ts";
import { joined, logitsOf, openExecutor, openModel, optionsOf, type TestModel } from "./models.ts";

/** The reference's logits of all tokens. */
async function referenceOf(name: string): Promise<Float32Array> {
  const bytes = await fixture(`reference/archs/${name}.logits.f32`);
  return new Float32Array(bytes.slice().buffer);
}

describe.skipIf(!gpuAvailable).each(["qwen3moe", "gpt-oss"])("%s", (name) => {
  let model: TestModel;
  let expected: Float32Array;
  let whole: Float32Array;
  const sizes = (): number[] => {
    const rest = model.tokens.length - 21;
    return [rest, 5, 8, ...new Array<number>(8).fill(1)];
  };

  beforeAll(async () => {
    model = await openModel(name);
    expected = await referenceOf(name);
    const executor = await openExecutor(await openTestGpu(), model);
    whole = joined(await logitsOf(executor, model.tokens, sizes()));
    await executor.dispose();
  });

  it("gives llama.cpp's logits", () => {
    expect(nmse(whole, expected)).toBeLessThanOrEqual(1e-6);
  });

  it("costs few dispatches a layer", async () => {
    const { graph, file } = model;
    const gpu = await openTestGpu();
    const [one, few] = planFor(graph, file, gpu, optionsOf()).plans;
    for (const plan of [one, few]) {
      const inLayers = plan.calls.filter((call) => call.layer >= 0 && call.layer < graph.layers);
      expect(inLayers.length / graph.layers).toBeLessThanOrEqual(12);
    }
  });

  it("gives the same bits with its experts split over buffers", async () => {
    const stacks = model.graph.ops.flatMap((op) => (op.op === "moeLinear" ? [op.weight] : []));
    const sizesOf = stacks.map((weight) => model.file.tensors.get(weight)!);
    const largest = Math.max(...sizesOf.map((tensor) => tensor.bytes));
    const height = Math.max(...sizesOf.map((tensor) => tensor.bytes / tensor.shape[2]));
    // Room for one expert of gate and up; then for less than one of any, so that an expert straddles pieces.
    for (const maxPieceBytes of [Math.max(2 * height + 1024, largest / 2), height / 2 + 256]) {
      const executor = await openExecutor(await openTestGpu(), model, { maxPieceBytes });
      const { matrices } = executor.model.placement;
      expect(Math.max(...stacks.map((w) => matrices.get(w)!.pieces.length))).toBeGreaterThan(1);
      const split = joined(await logitsOf(executor, model.tokens, sizes()));
      await executor.dispose();
      expect(nmse(split, whole)).toBeLessThanOrEqual(1e-13);
    }
  });
});

describe.skipIf(!gpuAvailable)("experts of a stack", () => {
  let model: TestModel;
  beforeAll(async () => {
    model = await openModel("qwen3moe");
  });

  it("stand with the same experts of gate and up in one buffer", async () => {
    const { graph, file } = model;
    const gpu = await openTestGpu();
    const gate = file.tensors.get("blk.0.ffn_gate_exps.weight")!;
    const expert = gate.bytes / gate.shape[2];
    const maxPieceBytes = 2 * 3 * expert + 512;
    const { placement, plans } = planFor(graph, file, gpu, optionsOf({ maxPieceBytes }));
    const pieces = ["gate", "up"].map(
      (which) => placement.matrices.get(`blk.0.ffn_${which}_exps.weight`)!.pieces,
    );
    expect(pieces[0].map((p) => p.buffer)).toEqual(pieces[1].map((p) => p.buffer));
    expect(pieces[0].map((p) => p.first)).toEqual(pieces[1].map((p) => p.first));
    expect(pieces[0].every((p) => p.first % gate.shape[1] === 0)).toBe(true);
    const fused = plans[0].calls.filter((c) => c.layer === 0 && c.variant.includes("gated"));
    expect(fused.length).toBe(pieces[0].length);
  });
});
