import { describe, expect, it } from "vitest";
import { WebggufError } from "../../src/base/errors.ts";
import { quantByName, quants } from "../../src/file/quants.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { ggufBytes } from "../../src/gguf/write.ts";
import { countedSource } from "../gguf/raw.ts";
import { mutate, random } from "./mutate.ts";

const mutations = 50_000;

/** Small valid files of different make. */
function seeds(): Promise<Uint8Array<ArrayBuffer>[]> {
  const tensor = (name: string, index: number) => {
    const type = quants[index % quants.length];
    const data = new Uint8Array(2 * type.bytes);
    return { name, type, shape: [type.elements, 2], data };
  };
  return Promise.all([
    ggufBytes({ metadata: [["general.architecture", "llama"]], tensors: [] }),
    ggufBytes({
      metadata: [
        ["tokens", ["a", "bc", "", "déf"]],
        ["scores", Float32Array.of(1, 2, 3)],
        ["flags", [true, false]],
        ["large", BigUint64Array.of(1n)],
      ],
      tensors: [tensor("a", 0)],
      alignment: 8,
    }),
    ggufBytes({
      metadata: [["n", 3]],
      tensors: Array.from({ length: 6 }, (_, i) => tensor(`blk.${i}.weight`, 3 * i)),
      version: 2,
    }),
    ggufBytes({
      metadata: [],
      tensors: [{ name: "e", type: quantByName("F32")!, shape: [4, 0], data: new Uint8Array(0) }],
    }),
  ]);
}

describe("readGguf on mutated files", () => {
  it(`answers ${mutations} of them with a file or a typed error`, async () => {
    const files = await seeds();
    const below = random(7);
    const counts = { read: 0, refused: 0 };
    for (let i = 0; i < mutations; i++) {
      const bytes = mutate(files[i % files.length], below);
      const source = countedSource(bytes);
      const started = performance.now();
      try {
        const file = await readGguf(source);
        for (const { offset, bytes: length } of file.tensors.values())
          if (length > 0 && offset + length > bytes.length)
            throw new Error(`mutation ${i}: past the end`);
        counts.read++;
      } catch (error) {
        if (!(error instanceof WebggufError)) throw new Error(`mutation ${i}`, { cause: error });
        counts.refused++;
      }
      const took = performance.now() - started;
      if (took > 2000) throw new Error(`mutation ${i}: ${took} ms`);
      // Each byte is read once, or twice where a piece is cut and joined; never more than is there.
      if (source.asked > 2 * bytes.length) throw new Error(`mutation ${i}: ${source.asked} bytes`);
    }
    expect(counts.read + counts.refused).toBe(mutations);
    expect(counts.read > 1000).toBe(true);
    expect(counts.refused > 10_000).toBe(true);
  });
});
