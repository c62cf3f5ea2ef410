/** Executors of the tiny models, as the contract's tests open them. */
import { platform } from "#platform";
import { openCpu } from "../../src/cpu/open.ts";
import { buildGraph } from "../../src/models/index.ts";
import { createRowSampler } from "../../src/sample/row.ts";
import { scheduled } from "../../src/session/scheduler.ts";
import { openTestGpu } from "../gpu.ts";
import { archFile } from "../models/altered.ts";
import { openExecutor, openModel } from "../plan/models.ts";
import { type Opened, TERMS } from "./contract.ts";
import { embeddingsOf } from "./embeddings.ts";

export async function onCpu(model: string): Promise<Opened> {
  const file = await archFile(model);
  const options = { ...TERMS, cacheTypeK: "f32", cacheTypeV: "f32" } as const;
  const sampleRow = createRowSampler(buildGraph(file, options).vocabulary);
  const hooks = { sampleRow };
  return {
    executor: await (await openCpu()).create(buildGraph(file, options), file, options, hooks),
    embeddings: embeddingsOf(file),
  };
}

/** On a device of its own, which can be lost. */
export async function onGpu(model: string, ownDevice: boolean): Promise<Opened> {
  const gpu = await (ownDevice ? platform.openGpu() : openTestGpu());
  const opened = await openModel(model, TERMS.contextLength);
  // Several steps share a submit, whatever the device.
  const executor = await openExecutor(gpu, opened, { ...TERMS, stepsInFlight: 4 });
  return {
    executor,
    embeddings: embeddingsOf(opened.file),
    lose: ownDevice ? () => gpu.device.destroy() : undefined,
  };
}

/** The same behind the scheduler. */
export const shared = async ({ executor, ...rest }: Opened): Promise<Opened> => ({
  executor: scheduled(executor),
  ...rest,
});
