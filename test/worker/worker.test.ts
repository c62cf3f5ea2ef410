import { describe, expect, it } from "vitest";
import type { LoadOptions, Model } from "../../mod.ts";
import { loadModelInWorker, serveModel } from "../../src/worker/mod.ts";
import { fixture } from "../fixture.ts";
import { BUNDLED, sessionSuite } from "../session/suite.ts";

/** Both ends in one thread: everything still goes through messages that are cloned. */
async function load(bytes: Uint8Array<ArrayBuffer>, options: LoadOptions): Promise<Model> {
  const { port1, port2 } = new MessageChannel();
  serveModel(port1);
  try {
    const model = await loadModelInWorker(port2, bytes, options);
    const dispose = model.dispose.bind(model);
    model.dispose = async () => {
      await dispose();
      port1.close();
    };
    return model;
  } catch (error) {
    port1.close();
    throw error;
  }
}

sessionSuite("a session in a worker", load, { device: "cpu" });

describe("a model in a worker", () => {
  it("tells the file's metadata, tensors and progress", async () => {
    const seen: string[] = [];
    const model = await load(await fixture(BUNDLED), {
      device: "cpu",
      onProgress: ({ stage }) => seen.push(stage),
    });
    expect(model.architecture).toBe("qwen3");
    expect(model.file.metadata.string("general.architecture")).toBe("qwen3");
    expect(model.file.tensors.get("token_embd.weight")?.type.name).toBe("Q8_0");
    expect(model.device.kind).toBe("cpu");
    expect(seen.length).toBeGreaterThan(0);
    await model.dispose();
  });

  it("drafts ahead with a draft model that was sent along", async () => {
    const model = await load(await fixture(BUNDLED), {
      device: "cpu",
      speculation: { model: await fixture("tiny-model/webgguf-tale-q4_k_m.gguf") },
    });
    const session = model.session();
    const texts: string[] = [];
    for (const speculation of ["none", "draft"] as const) {
      let text = "";
      const options = { temperature: 0, maxTokens: 20, speculation };
      for await (const piece of session.generate("Once upon a time", options)) text += piece.text;
      texts.push(text);
      if (speculation === "draft") expect(session.stats().speculation?.accepted).toBeGreaterThan(0);
      session.reset();
    }
    expect(texts[1]).toBe(texts[0]);
    await model.dispose();
  });

  it("refuses sources that cannot be sent, for models and draft models", async () => {
    const bytes = await fixture(BUNDLED);
    const own = { size: 0, read: async () => new Uint8Array(), close: async () => {} };
    const source = own as unknown as Uint8Array<ArrayBuffer>;
    for (const attempt of [load(source, {}), load(bytes, { speculation: { model: source } })])
      expect(await attempt.catch((reason: unknown) => reason)).toMatchObject({
        code: "input/invalid",
      });
  });

  it("passes typed errors on", async () => {
    const broken = new Uint8Array(64);
    const error = await load(broken, { device: "cpu" }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: "WebggufError", code: "gguf/malformed" });
  });
});
