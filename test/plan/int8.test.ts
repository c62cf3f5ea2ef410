/** Plans with int8 activations: what they look like, and how far their logits lie from the reference. */
import { describe, expect, it } from "vitest";
import { createGpuExecutor } from "../../src/gpu/open.ts";
import { planFor } from "../../src/plan/model-plan.ts";
import type { Capabilities } from "../../src/platform/types.ts";
import { readArchIndex, runArch } from "../conformance/archs.ts";
import { fixture } from "../fixture.ts";
import { gpuAvailable, openTestGpu } from "../gpu.ts";
import { openModel, optionsOf } from "./models.ts";

const reader = (path: string) => fixture(`reference/${path}`);
const names = [...(await readArchIndex(reader)).keys()].filter((name) =>
  name.startsWith("archs/quantized/"),
);
const available = gpuAvailable && (await openTestGpu()).capabilities.packedDot;

const capabilities = {
  name: "default limits",
  ...{ vendor: "", architecture: "" },
  software: false,
  packedDot: true,
  limits: { maxBufferSize: 256 << 20, maxStorageBufferBindingSize: 128 << 20 },
} as unknown as Capabilities;

/** Kernels of each plan of a small Q8_0 model, the linear ones and those that quantise. */
async function kernels(
  int8: "auto" | "on" | "off" | undefined,
  device: Capabilities = capabilities,
): Promise<string[][]> {
  const { graph, file } = await openModel("quantized/qwen3-Q8_0");
  const { plans } = planFor(graph, file, { capabilities: device }, optionsOf({ int8 }));
  return plans.map((plan) =>
    plan.calls
      .filter((c) => /^(matvec|matmul|quantize)/.test(c.kernel))
      .map((c) =>
        /int8/.test(c.variant) && c.kernel !== "quantize" ? `${c.kernel} int8` : c.kernel,
      ),
  );
}

describe("a plan with int8 activations", () => {
  it("quantises once for q, k, v and once for gate and up", async () => {
    const { graph } = await openModel("quantized/qwen3-Q8_0");
    const [one, , many] = await kernels("on");
    // q·k·v, output, gate·up, down; the head.
    const count = 4 * graph.layers + 1;
    expect(one).toEqual(new Array(count).fill(["quantize", "matvec int8"]).flat());
    expect(many.filter((name) => name === "quantize")).toHaveLength(count);
    expect(many.filter((name) => name === "matmulInt8 int8")).toHaveLength(count - 1);
  });
  it("is made on request, where the language has packed products", async () => {
    const plain = await kernels("off");
    expect(plain.flat().some((name) => /quantize|int8/.test(name))).toBe(false);
    expect(await kernels(undefined)).toEqual(plain);
    expect(await kernels("auto")).toEqual(plain);
    const measured = { ...capabilities, software: true, f16: true };
    expect(await kernels("auto", measured)).toEqual(await kernels("on"));
    expect(await kernels(undefined, measured)).toEqual(plain);
    expect(await kernels("on", { ...capabilities, packedDot: false })).toEqual(plain);
  });
  it("keeps floats for types without whole-number codes", async () => {
    const { graph, file } = await openModel("qwen3");
    const [plan] = planFor(graph, file, { capabilities }, optionsOf({ int8: "on" })).plans;
    expect(plan.calls.some((c) => /quantize|int8/.test(`${c.kernel} ${c.variant}`))).toBe(false);
  });
});

describe.skipIf(!available)("int8 activations", () => {
  it.each(names)("%s stays in its bounds", async (name) => {
    const gpu = await openTestGpu();
    const rows = await runArch(
      reader,
      name,
      (graph, file, options) =>
        createGpuExecutor(graph, file, gpu, optionsOf({ ...options, int8: "on" })),
      { precision: "int8" },
    );
    expect(rows.length).toBeGreaterThan(5);
    expect(rows.filter((row) => !row.pass)).toEqual([]);
  });
});
