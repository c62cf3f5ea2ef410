/** Many damaged model files. */
import { expect, it } from "vitest";
import { loadMutants } from "./model-mutants.ts";

const count = 30_000;

it(`${count} mutated model files end in a typed error or in logits, in bounded time and memory`, {
  timeout: 1_200_000,
}, async () => {
  const { outcomes, wrong } = await loadMutants(count);
  expect(wrong.slice(0, 3)).toEqual([]);
  for (const outcome of ["gguf/malformed", "model/invalid", "computed"])
    expect([outcome, (outcomes.get(outcome) ?? 0) > count / 10]).toEqual([outcome, true]);
});
