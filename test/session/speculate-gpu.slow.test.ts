import { expect, it } from "vitest";
import { loadModel } from "../../mod.ts";
import { fixture } from "../fixture.ts";
import { gpuAvailable } from "../gpu.ts";
import { answer, load, report, STORY } from "./speculation.ts";

it.skipIf(!gpuAvailable)(
  "speculative decoding on the GPU gives the same text, sampled and greedy",
  async () => {
    const model = await load({ device: "gpu" });
    // The executor draws, greedily, by chance and after penalties, and the host does.
    const ways = [
      { temperature: 0 },
      { temperature: 1 },
      { temperature: 0.8, repeatPenalty: 1.2 },
      { typicalP: 0.95 },
    ];
    for (const more of ways) {
      const options = { maxTokens: 24, seed: 5, ...more };
      const plain = await answer(model, "none", STORY, options);
      const drafted = await answer(model, "draft", STORY, options);
      report(`Q4_K_M for F16 on the GPU, ${JSON.stringify(more)}`, drafted, plain);
      expect(drafted.ids).toEqual(plain.ids);
      if (!("temperature" in more)) continue;
      expect((await answer(model, "ngram", STORY, options)).ids).toEqual(plain.ids);
    }
    await model.dispose();
  },
);

it.skipIf(!gpuAvailable)(
  "speculative decoding on the GPU computes recurrent state again",
  async () => {
    const model = await loadModel(await fixture("reference/archs/lfm2.gguf"), {
      device: "gpu",
      contextLength: 128,
    });
    const prompt = Array.from({ length: 40 }, (_, i) => 3 + (i % 4));
    for (const seed of [2, 3]) {
      const options = { temperature: 1, topK: 3, seed, maxTokens: 60 };
      const plain = await answer(model, "none", prompt, options);
      const drafted = await answer(model, "ngram", prompt, options);
      report(`lfm2 on the GPU, seed ${seed}`, drafted, plain);
      expect(drafted.ids).toEqual(plain.ids);
    }
    await model.dispose();
  },
);
