/** The executors that need no GPU keep the contract; test/executor/gpu.test.ts has the others. */
import { describe } from "vitest";
import { scheduled } from "../../src/session/scheduler.ts";
import { FakeExecutor } from "../session/fake-executor.ts";
import { bidirectionalContract, contract, TERMS } from "./contract.ts";
import { onCpu, shared } from "./open.ts";

contract("the fake executor", async () => ({ executor: new FakeExecutor({ ...TERMS, delay: 1 }) }));

contract(
  "the fake executor behind the scheduler",
  async () => ({
    executor: scheduled(new FakeExecutor({ ...TERMS, delay: 1 })),
  }),
  { gives: true },
);

describe.each(["qwen3", "lfm2"])("%s", (model) => {
  contract("the CPU executor", () => onCpu(model), { rows: true });

  contract("the CPU executor behind the scheduler", async () => shared(await onCpu(model)), {
    rows: true,
    gives: true,
  });
});

bidirectionalContract("the CPU executor of a bidirectional model", () => onCpu("bert"));
