/** A split model as somebody chooses it: all files at once, in any order; what is wrong with them is named. */
import { describe, expect, it } from "vitest";
import { loadModel, type Model, type ModelPart, type ModelSource } from "../../mod.ts";
import { bufferSource } from "../../src/bytes/buffer.ts";
import { loadModelInWorker, serveModel } from "../../src/worker/mod.ts";
import { fixture } from "../fixture.ts";
import { splitFiles } from "../split.ts";

const how = { device: "cpu", contextLength: 16 } as const;
const whole = await fixture("reference/archs/llama.gguf");
const COUNTS = [1, 2, 3, 4, 7, 30];

/** Files of the model, `count` or a little more. */
async function partsOf(count: number, stem = "tale", bytes = whole): Promise<File[]> {
  return splitFiles(bytes, stem, Math.ceil(tensors / count));
}
const tensors = await loadModel(whole, how).then(async (model) => {
  await model.dispose();
  return model.file.tensors.size;
});

let state = 1;
const below = (n: number): number => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return (state >>> 8) % n;
};
const shuffled = <T>(list: readonly T[]): T[] =>
  list
    .map((one) => [below(1 << 20), one] as const)
    .sort(([a], [b]) => a - b)
    .map(([, one]) => one);

const logitsOf = async (model: Model): Promise<Float32Array> => {
  try {
    return await model.session().logits([1, 2, 3]);
  } finally {
    await model.dispose();
  }
};

/** Through messages that are cloned, as to a worker. */
async function remote<T>(source: ModelSource, use: (model: Model) => Promise<T>): Promise<T> {
  const { port1, port2 } = new MessageChannel();
  serveModel(port1);
  try {
    return await use(await loadModelInWorker(port2, source, how));
  } finally {
    port1.close();
  }
}

describe("a model in several files", () => {
  it("is the whole model, in any number and order, here and in a worker", async () => {
    const expected = await logitsOf(await loadModel(whole, how));
    for (const count of COUNTS) {
      const files = shuffled(await partsOf(count));
      const model = await loadModel(files, how);
      expect(model.file.sources.length).toBe(files.length);
      expect(model.file.name).toMatch(/^tale-00001-of-/);
      expect(await logitsOf(model)).toEqual(expected);
      // Without names, too.
      const blobs = shuffled(files).map((file) => file.slice());
      expect(await remote(blobs, logitsOf)).toEqual(expected);
    }
  });

  it("may come as files, bytes and sources together", async () => {
    const expected = await logitsOf(await loadModel(whole, how));
    const [a, b, ...rest] = await partsOf(4);
    const mixed: ModelPart[] = [
      await b.arrayBuffer(),
      ...rest,
      bufferSource(await a.arrayBuffer(), a.name),
    ];
    expect(await logitsOf(await loadModel(mixed, how))).toEqual(expected);
  });

  it("is refused with the names of the parts that are missing", async () => {
    for (const count of COUNTS.slice(1)) {
      const files = await partsOf(count);
      for (let round = 0; round < 3; round++) {
        const kept = shuffled(files).slice(0, 1 + below(files.length - 1));
        const missing = files.filter((file) => !kept.includes(file)).map(({ name }) => name);
        for (const loading of [loadModel(kept, how), remote(kept, logitsOf)]) {
          const error = await loading.catch((reason: unknown) => reason as Error);
          expect(error).toMatchObject({ code: "gguf/malformed", file: expect.any(String) });
          const { message } = error as Error;
          // Not every runtime posts the names of files along.
          for (const name of missing.slice(0, 3))
            expect(message).toMatch(new RegExp(`${name}|part ${Number(name.slice(5, 10))}\\b`));
          if (missing.length > 3) expect(message).toContain(`${missing.length - 3} more`);
        }
      }
    }
  });

  it("is refused with the name of what is twice there, or does not belong to it", async () => {
    const other = await fixture("reference/archs/phi3.gguf");
    for (const count of [2, 3, 7]) {
      const files = await partsOf(count);
      const at = below(files.length);
      const named = (bytes: BlobPart, name: string): File => new File([bytes], name);
      const twin = named(files[at], "copy.gguf");
      const foreign: readonly [what: string, file: File][] = [
        ["a copy", twin],
        ["a part of another model by its name", (await partsOf(count, "other"))[at]],
        ["a part of another number of parts", (await partsOf(count + 3, "tale"))[0]],
        ["a part of another family", (await splitFiles(other, "x", 4))[0]],
        ["a whole model", named(whole, "whole.gguf")],
        ["no model", named("hello", "notes.gguf")],
      ];
      for (const [what, file] of foreign)
        for (const set of [[...files, file], files.with(at, file)]) {
          if (what === "a copy" && set.length === files.length) continue;
          const error = await loadModel(shuffled(set), how).catch((reason: unknown) => reason);
          expect(error, what).toMatchObject({ code: "gguf/malformed" });
          const { message, file: of } = error as { message: string; file: string };
          // Whichever came first is the measure of the others.
          expect([file.name, ...files.map(({ name }) => name)], what).toContain(of);
          expect(message, what).toContain(file.name);
        }
    }
  });

  it("is refused where it is no list of sources", async () => {
    for (const source of [[], [[whole]], [whole, null], ["  "], [3]] as ModelSource[]) {
      for (const loading of [loadModel(source, how), remote(source, logitsOf)])
        expect(await loading.catch((reason: unknown) => reason)).toMatchObject({
          code: "input/invalid",
        });
    }
  });
});
