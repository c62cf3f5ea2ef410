/** As values.node.test.ts, many more of them. */
import { expect, it } from "vitest";
import { fixture } from "../fixture.ts";
import { random } from "./mutate.ts";
import { fuzzValues } from "./values.ts";

it("10,000 calls with random values end in a result or a typed error", {
  timeout: 400_000,
}, async () => {
  const bytes = await fixture("tiny-model/webgguf-tale-q4_k_m.gguf");
  const { done, strange, refused } = await fuzzValues(random(171), 10_000, 240, bytes);
  console.log(`${done} calls, ${refused} refused`);
  expect(strange).toEqual([]);
  expect(refused).toBeGreaterThan(done / 8);
});
