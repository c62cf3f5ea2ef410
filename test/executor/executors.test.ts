/** The four executors keep one contract. */
import { describe } from "vitest";
import { platform } from "#platform";
import { createCpuExecutor } from "../../src/cpu/executor.ts";
import { dequantize } from "../../src/file/decode/index.ts";
import type { ModelFile } from "../../src/file/types.ts";
import { buildGraph } from "../../src/models/index.ts";
import { createRowSampler } from "../../src/sample/row.ts";
import { batched } from "../../src/session/batch.ts";
import { gpuAvailable, openTestGpu } from "../gpu.ts";
import { archFile } from "../models/altered.ts";
import { joined, openExecutor, openModel } from "../plan/models.ts";
import { FakeExecutor } from "../session/fake-executor.ts";
import { bidirectionalContract, contract, type Opened, TERMS } from "./contract.ts";

/** Looks tokens up in the table of a model, as its first op does. */
const lookUp =
  (file: ModelFile): Opened["embeddings"] =>
  async (tokens) => {
    const table = file.tensors.get("token_embd.weight")!;
    const values = new Float32Array(table.elements);
    const bytes = await file.sources[table.part].read(table.offset, table.bytes);
    dequantize(table.type, bytes, values, table.elements);
    const width = table.shape[0];
    return joined(tokens.map((token) => values.subarray(token * width, (token + 1) * width)));
  };

async function onCpu(model: string): Promise<Opened> {
  const file = await archFile(model);
  const options = { ...TERMS, cacheTypeK: "f32", cacheTypeV: "f32" } as const;
  const sampleRow = createRowSampler(buildGraph(file, options).vocabulary);
  const hooks = { sampleRow };
  return {
    executor: await createCpuExecutor(buildGraph(file, options), file, options, hooks),
    embeddings: lookUp(file),
  };
}

/** On a device of its own, which can be lost. */
async function onGpu(model: string, ownDevice: boolean): Promise<Opened> {
  const gpu = await (ownDevice ? platform.openGpu() : openTestGpu());
  const opened = await openModel(model, TERMS.contextLength);
  // Several steps share a submit, whatever the device.
  const executor = await openExecutor(gpu, opened, { ...TERMS, stepsInFlight: 4 });
  return {
    executor,
    embeddings: lookUp(opened.file),
    lose: ownDevice ? () => gpu.device.destroy() : undefined,
  };
}

contract("the fake executor", async () => ({ executor: new FakeExecutor({ ...TERMS, delay: 1 }) }));

contract("the fake executor behind a merging one", async () => ({
  executor: batched(new FakeExecutor({ ...TERMS, delay: 1 })),
}));

describe.each(["qwen3", "lfm2"])("%s", (model) => {
  contract("the CPU executor", () => onCpu(model), { rows: true });

  const merged = async ({ executor, ...rest }: Opened): Promise<Opened> => ({
    executor: batched(executor),
    ...rest,
  });

  contract("the CPU executor behind a merging one", async () => merged(await onCpu(model)), {
    rows: true,
  });

  describe.skipIf(!gpuAvailable)("with an adapter", () => {
    const device = model === "qwen3";
    contract("the GPU executor", () => onGpu(model, device), { rows: true, device });

    contract(
      "the GPU executor behind a merging one",
      async () => merged(await onGpu(model, false)),
      {
        rows: true,
      },
    );
  });
});

bidirectionalContract("the CPU executor of a bidirectional model", () => onCpu("bert"));
describe.skipIf(!gpuAvailable)("with an adapter", () => {
  bidirectionalContract("the GPU executor of a bidirectional model", () => onGpu("bert", false));
});
