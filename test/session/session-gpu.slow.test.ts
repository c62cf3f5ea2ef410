import { expect, it } from "vitest";
import { loadModel } from "../../mod.ts";
import { fixture } from "../fixture.ts";
import { gpuAvailable } from "../gpu.ts";
import { BUNDLED, sessionSuite } from "./suite.ts";

if (gpuAvailable)
  sessionSuite("a session on the GPU", (bytes, options) => loadModel(bytes, options), {
    device: "gpu",
    contextLength: 128,
  });
else it.skip("a session on the GPU: no adapter", () => {});

const jsonSchema = {
  type: "object",
  properties: { name: { type: "string", maxLength: 8 }, age: { type: "integer", minimum: 1 } },
  required: ["name", "age"],
  additionalProperties: false,
};

it.skipIf(!gpuAvailable)("the GPU draws the tokens that the CPU draws, of a form too", async () => {
  const bytes = await fixture(BUNDLED);
  const draw = async (device: string): Promise<number[]> => {
    const precise = { cacheTypeK: "f32", cacheTypeV: "f32" } as const;
    const model = await loadModel(bytes, { device, contextLength: 128, ...precise });
    const ids: number[] = [];
    const regex = "[A-Z][a-z ,]{20,60}\\.";
    for (const [seed, form] of [[1], [2 ** 40 + 3], [7, { regex }], [8, { jsonSchema }]] as const) {
      const options = { seed, maxTokens: 40, temperature: 1.2, ...form };
      for await (const piece of model.session().generate("Once upon a time", options))
        ids.push(piece.token!);
    }
    await model.dispose();
    return ids;
  };
  expect(await draw("gpu")).toEqual(await draw("cpu"));
});
