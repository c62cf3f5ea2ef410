import { describe, expect, it } from "vitest";
import { bufferSource } from "../../src/bytes/buffer.ts";
import { plainCpu } from "../../src/cpu/open.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { buildGraph } from "../../src/models/index.ts";
import { feed, nmse } from "../conformance/archs.ts";
import { fixture, fixtureJson } from "../fixture.ts";

const cases = [
  ["../../models/webgguf-tale-q8_0.gguf", "logits-q8_0.f32"],
  ["tiny-model/webgguf-tale-f16.gguf", "logits.f32"],
];

describe("the bundled model on the CPU path", () => {
  it.each(cases)("%s gives llama.cpp's logits", async (path, logits) => {
    const { ids } = await fixtureJson<{ ids: number[] }>("tiny-model/tokens.json");
    const expected = new Float32Array((await fixture(`tiny-model/${logits}`)).slice().buffer);
    const file = await readGguf(bufferSource(await fixture(path), path));
    const options = { contextLength: 512 };
    const executor = await plainCpu.create(buildGraph(file, options), file, {
      ...options,
      cacheTypeK: "f32",
      cacheTypeV: "f32",
    });
    expect(nmse(await feed(executor, 0, ids, ids.length), expected)).toBeLessThan(1e-9);
    await executor.dispose();
  });
});
