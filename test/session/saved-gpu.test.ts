/** Sessions saved from a GPU's cache go on on another, and on the CPU path, where both keep the same numbers. */
import { afterAll, describe, expect, it } from "vitest";
import { type LoadOptions, loadModel, type Model } from "../../mod.ts";
import { fixture } from "../fixture.ts";

const GO = { temperature: 1, seed: 5, maxTokens: 6, logprobs: 0 };
const models: Model[] = [];
afterAll(() => Promise.all(models.map((model) => model.dispose())));

async function load(name: string, options: LoadOptions): Promise<Model> {
  const bytes = await fixture(`reference/archs/${name}.gguf`);
  const model = await loadModel(bytes, { contextLength: 128, chunk: 32, ...options });
  models.push(model);
  return model;
}

const text = (count: number): number[] =>
  Array.from({ length: count }, (_, i) => 3 + ((i * i + 7 * i) % 90));

describe("a session saved from a GPU", () => {
  const cases: readonly (readonly [string, LoadOptions])[] = [
    ["llama", { cacheTypeK: "q8_0", cacheTypeV: "q4_0" }],
    ["gemma3", {}],
    ["mamba2", {}],
  ];
  for (const [name, options] of cases)
    it(`of ${name} goes on on the GPU to the bit, and on the CPU path where the types are the same`, async () => {
      const model = await load(name, { ...options, device: "gpu" });
      const session = model.session();
      await session.generate(text(70), { temperature: 1, seed: 1, maxTokens: 5, ignoreEos: true });
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

      const onCpu = (await load(name, { ...options, device: "cpu" })).session();
      if (options.cacheTypeK) {
        await expect(onCpu.restore(saved)).rejects.toMatchObject({ code: "session/mismatch" });
        return;
      }
      await onCpu.restore(saved);
      const [here] = await Promise.all([onCpu.logits([7])]);
      const fresh = (await load(name, { ...options, device: "cpu" })).session();
      const there = (await fresh.logits([...tokens, 7])).subarray(-here.length);
      for (let i = 0; i < here.length; i++) expect(Math.abs(here[i] - there[i])).toBeLessThan(0.02);
    });
});
