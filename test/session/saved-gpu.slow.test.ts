/** Sessions saved from a GPU's cache go on as they would have; on the CPU path, from their tokens. */
import { afterAll, describe, expect, it } from "vitest";
import { type LoadOptions, loadModel, type Model } from "../../mod.ts";
import { fixture } from "../fixture.ts";
import { gpuAvailable } from "../gpu.ts";
import { MODEL } from "./saved-fixture.ts";

const GO = { temperature: 1, seed: 5, maxTokens: 6, logprobs: 0 };
const models: Model[] = [];
afterAll(() => Promise.all(models.map((model) => model.dispose())));

async function load(name: string, options: LoadOptions): Promise<Model> {
  const bytes = await fixture(name === MODEL ? MODEL : `reference/archs/${name}.gguf`);
  const model = await loadModel(bytes, { contextLength: 128, chunk: 32, ...options });
  models.push(model);
  return model;
}

const text = (count: number): number[] =>
  Array.from({ length: count }, (_, i) => 3 + ((i * i + 7 * i) % 90));

describe("a session saved from a GPU", () => {
  const cases: readonly (readonly [string, LoadOptions])[] = [
    [MODEL, { cacheTypeK: "q8_0", cacheTypeV: "q4_0" }],
    ["gemma3", {}],
    ["mamba2", {}],
  ];
  for (const [name, options] of cases)
    it.skipIf(!gpuAvailable)(`of ${name} goes on there to the bit`, async () => {
      const model = await load(name, { ...options, device: "gpu" });
      const session = model.session();
      await session.generate(text(40), {
        temperature: 1,
        seed: 1,
        maxTokens: 5,
        ignoreEos: true,
      });
      const saved = await session.save();
      const tokens = [...session.tokens];
      const other = (await load(name, { ...options, device: "gpu" })).session();
      await other.generate(text(9), { maxTokens: 2 });
      await other.restore(saved);
      const answers = [];
      for (const one of [session, other]) {
        const pieces = [];
        const answer = one.generate(text(9), GO);
        for await (const piece of answer) pieces.push(piece);
        answers.push([pieces, (await answer).usage.cachedTokens]);
      }
      expect(answers[1]).toEqual(answers[0]);
      expect(answers[1][1]).toBe(tokens.length - 1);

      if (name !== "mamba2") return;
      // Another kind of executor takes the tokens, and computes their rows itself.
      const cpu = await load(name, { ...options, device: "cpu", maxSequences: 2 });
      const onCpu = cpu.session();
      await onCpu.restore(saved);
      expect(onCpu.tokens).toEqual(tokens);
      const there = await onCpu.generate(text(3), GO);
      expect(there.usage.cachedTokens).toBe(0);
      const fresh = cpu.session();
      await fresh.generate([[...tokens, ...text(3)]], GO);
      expect(fresh.tokens).toEqual(onCpu.tokens);
    });
});
