/** A request's text and log-probabilities depend neither on what else runs, nor on what is kept, nor on aborts. */
import { describe, expect, it } from "vitest";
import { Numbers } from "../kernels/run.ts";
import { alone, expectSame, randomRequests, together } from "./together-random.ts";

describe("random requests on the CPU path", () => {
  it.each(["qwen3", "lfm2"])("say together what they say alone: %s", async (name) => {
    const numbers = new Numbers(3);
    const requests = await randomRequests(numbers, name, 12, 6);
    // Smaller than what eight of them need, so that some give their pages back.
    const terms = { name, load: { device: "cpu", contextLength: 160 }, requests };
    const expected = await alone(terms);
    expect(expected.some((said) => said.length > 3)).toBe(true);
    expectSame(await together(terms, 8, true, numbers), terms, expected);
  });
});
