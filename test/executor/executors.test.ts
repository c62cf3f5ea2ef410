/** The executors that need no GPU keep the contract; test/executor/gpu.test.ts has the others. */
import { describe } from "vitest";
import { batched } from "../../src/session/batch.ts";
import { FakeExecutor } from "../session/fake-executor.ts";
import { bidirectionalContract, contract, TERMS } from "./contract.ts";
import { merged, onCpu } from "./open.ts";

contract("the fake executor", async () => ({ executor: new FakeExecutor({ ...TERMS, delay: 1 }) }));

contract("the fake executor behind a merging one", async () => ({
  executor: batched(new FakeExecutor({ ...TERMS, delay: 1 })),
}));

describe.each(["qwen3", "lfm2"])("%s", (model) => {
  contract("the CPU executor", () => onCpu(model), { rows: true });

  contract("the CPU executor behind a merging one", async () => merged(await onCpu(model)), {
    rows: true,
  });
});

bidirectionalContract("the CPU executor of a bidirectional model", () => onCpu("bert"));
