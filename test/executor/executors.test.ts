/** The four executors keep one contract. */
import { describe } from "vitest";
import { platform } from "#platform";
import { createCpuExecutor } from "../../src/cpu/executor.ts";
import { buildGraph } from "../../src/models/index.ts";
import { batched } from "../../src/session/batch.ts";
import { gpuAvailable, openTestGpu } from "../gpu.ts";
import { archFile } from "../models/altered.ts";
import { openExecutor, openModel } from "../plan/models.ts";
import { FakeExecutor } from "../session/fake-executor.ts";
import { bidirectionalContract, contract, type Opened, TERMS } from "./contract.ts";

async function onCpu(model: string): Promise<Opened> {
  const file = await archFile(model);
  const options = { ...TERMS, cacheTypeK: "f32", cacheTypeV: "f32" } as const;
  return { executor: await createCpuExecutor(buildGraph(file, options), file, options) };
}

/** On a device of its own, which can be lost. */
async function onGpu(model: string, ownDevice: boolean): Promise<Opened> {
  const gpu = await (ownDevice ? platform.openGpu() : openTestGpu());
  const executor = await openExecutor(gpu, await openModel(model, TERMS.contextLength), TERMS);
  return { executor, lose: ownDevice ? () => gpu.device.destroy() : undefined };
}

contract("the fake executor", async () => ({ executor: new FakeExecutor({ ...TERMS, delay: 1 }) }));

contract("the fake executor behind a merging one", async () => ({
  executor: batched(new FakeExecutor({ ...TERMS, delay: 1 })),
}));

describe.each(["qwen3", "lfm2"])("%s", (model) => {
  contract("the CPU executor", () => onCpu(model));

  contract("the CPU executor behind a merging one", async () => ({
    executor: batched((await onCpu(model)).executor),
  }));

  describe.skipIf(!gpuAvailable)("with an adapter", () => {
    contract("the GPU executor", () => onGpu(model, model === "qwen3"));

    contract("the GPU executor behind a merging one", async () => {
      const { executor, lose } = await onGpu(model, false);
      return { executor: batched(executor), lose };
    });
  });
});

bidirectionalContract("the CPU executor of a bidirectional model", () => onCpu("bert"));
describe.skipIf(!gpuAvailable)("with an adapter", () => {
  bidirectionalContract("the GPU executor of a bidirectional model", () => onGpu("bert", false));
});
