/** The GPU executor keeps the contract that test/executor/executors.test.ts asks of the others. */
import { describe } from "vitest";
import { gpuAvailable } from "../gpu.ts";
import { bidirectionalContract, contract } from "./contract.ts";
import { onGpu, shared } from "./open.ts";

describe.skipIf(!gpuAvailable)("with an adapter", () => {
  describe.each(["qwen3", "lfm2"])("%s", (model) => {
    const device = model === "qwen3";
    contract("the GPU executor", () => onGpu(model, device), { rows: true, device });

    contract(
      "the GPU executor behind the scheduler",
      async () => shared(await onGpu(model, false)),
      {
        rows: true,
        gives: true,
      },
    );
  });

  bidirectionalContract("the GPU executor of a bidirectional model", () => onGpu("bert", false));
});
