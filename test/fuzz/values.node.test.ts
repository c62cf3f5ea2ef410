/** Whatever values the API is given: typed errors alone, and everything settles. */
import { expect, it } from "vitest";
import { fixture } from "../fixture.ts";
import { random } from "./mutate.ts";
import { fuzzValues } from "./values.ts";

it("150 calls with random values end in a result or a typed error", {
  timeout: 60_000,
}, async () => {
  const bytes = await fixture("tiny-model/webgguf-tale-q4_k_m.gguf");
  const { done, strange, refused } = await fuzzValues(random(17), 150, 20, bytes);
  expect(strange).toEqual([]);
  expect(refused).toBeGreaterThan(done / 8);
});
