/** A sample of damaged model files; test:all loads many more. */
import { expect, it } from "vitest";
import { loadMutants } from "./model-mutants.ts";

const count = 1500;

it(`${count} mutated model files end in a typed error or in logits, in bounded time and memory`, {
  timeout: 120_000,
}, async () => {
  const { outcomes, wrong } = await loadMutants(count);
  expect(wrong.slice(0, 3)).toEqual([]);
  for (const outcome of ["gguf/malformed", "model/invalid", "computed"])
    expect([outcome, (outcomes.get(outcome) ?? 0) > count / 10]).toEqual([outcome, true]);
});
