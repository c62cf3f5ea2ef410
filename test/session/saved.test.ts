/** Saved sessions go on elsewhere as they would have here, and bytes that are not those of one change nothing. */
import { afterAll, describe, expect, it } from "vitest";
import { type LoadOptions, loadModel, type Model, type Session } from "../../mod.ts";
import { fixture, fixtureJson } from "../fixture.ts";
import { CONTINUED, GOES_ON, MODEL, SAVED } from "./saved-fixture.ts";

const OPTIONS: LoadOptions = { device: "cpu", contextLength: 96 };
const GO = { temperature: 1, seed: 5, maxTokens: 10, logprobs: 1 };
const models: Model[] = [];
afterAll(() => Promise.all(models.map((model) => model.dispose())));

async function load(name: string, options: LoadOptions = {}): Promise<Model> {
  const path = name.includes("/") ? name : `reference/archs/${name}.gguf`;
  const model = await loadModel(await fixture(path), { ...OPTIONS, ...options });
  models.push(model);
  return model;
}

const text = (count: number, vocabulary = 90): number[] =>
  Array.from({ length: count }, (_, i) => 3 + ((i * i + 7 * i) % vocabulary));

/** The pieces of what follows, log-probabilities included, and the tokens that were not computed for it. */
async function goesOn(session: Session, prompt = text(3)) {
  const pieces = [];
  const answer = session.generate(prompt, GO);
  for await (const piece of answer) pieces.push(piece);
  return { pieces, cached: (await answer).usage.cachedTokens };
}

/** A session with some text, part of it generated. */
async function begun(model: Model): Promise<Session> {
  const session = model.session();
  await session.generate(text(41), { temperature: 1, seed: 1, maxTokens: 4, ignoreEos: true });
  return session;
}

const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error) => error.code ?? error,
  );

describe("a saved session", () => {
  // Full attention, windows, latent attention or states: what models keep of a text.
  for (const name of ["llama", "gemma3", "lfm2", "mamba2"])
    it(`of ${name} goes on in another model as in its own, and nothing of it is computed again`, async () => {
      const session = await begun(await load(name));
      const saved = await session.save();
      const tokens = [...session.tokens];
      const other = (await load(name)).session();
      await other.generate(text(9), { maxTokens: 2 });
      await other.restore(saved);
      expect(other.tokens).toEqual(tokens);
      const [here, there] = [await goesOn(session), await goesOn(other)];
      expect(there.pieces).toEqual(here.pieces);
      // The last token was sampled and has no row yet.
      expect([here.cached, there.cached]).toEqual([tokens.length - 1, tokens.length - 1]);
    });

  it("goes on in every runtime where Node left it", async () => {
    const session = (await load(MODEL)).session();
    await session.restore(new Blob([await fixture(SAVED)]));
    const { message, usage } = await session.generate("", GOES_ON);
    const continued = await fixtureJson<{ tokens: number[]; text: string }>(CONTINUED);
    expect(message.content).toBe(continued.text);
    expect(session.tokens).toEqual(continued.tokens);
    expect(usage.cachedTokens).toBe(usage.promptTokens - 1);
  });

  it("keeps half a character, given rows, and the rows of a session that lost its place", async () => {
    const model = await load("llama");
    const width = 64;
    const rows = Float32Array.from({ length: 2 * width }, (_, i) => Math.sin(i));
    const session = model.session();
    await session.generate([text(5), { rows }, text(4)], { maxTokens: 3 });
    const saved = await session.save();
    const wanted = await goesOn(session);
    const other = (await load("llama")).session();
    await other.restore(saved);
    expect((await goesOn(other)).pieces).toEqual(wanted.pieces);

    const left = await begun(model);
    const rival = model.session();
    await rival.generate(text(8), { maxTokens: 1 });
    await other.restore(await left.save());
    expect((await goesOn(other)).pieces).toEqual((await goesOn(left)).pieces);
    const empty = await model.session().save();
    await other.restore(empty);
    expect(other.tokens).toEqual([]);
  });

  it("is refused where a byte of it is missing or another, and the session stays as it was", async () => {
    const model = await load("llama", { contextLength: 64 });
    const saved = await (await begun(model)).save();
    const session = model.session();
    await session.generate(text(6), { maxTokens: 2 });
    const tokens = [...session.tokens];
    const refused = ["session/corrupt", "session/mismatch", "context/overflow"];
    let step = 1;
    for (let cut = 0; cut < saved.length; cut += step) {
      expect(await codeOf(session.restore(saved.subarray(0, cut))), `${cut} bytes`).toBe(
        "session/corrupt",
      );
      if (cut > 100) step = Math.ceil(saved.length / 60);
    }
    let state = 1;
    const random = (below: number): number => {
      state = (Math.imul(state, 48271) >>> 0) % 0x7fffffff;
      return state % below;
    };
    // Half of the changes are to its beginning, of which most is read.
    for (let i = 0; i < 150; i++) {
      const changed = saved.slice();
      const at = random(i % 2 === 0 ? 700 : saved.length);
      changed[at] ^= 1 << random(8);
      expect(refused, `byte ${at}`).toContain(await codeOf(session.restore(changed)));
    }
    expect(session.tokens).toEqual(tokens);
    expect(session.stats().contextUsed).toBe(tokens.length);
    const longer = new Uint8Array(saved.length + 1);
    longer.set(saved);
    expect(await codeOf(session.restore(longer))).toBe("session/corrupt");
    await session.restore(saved);
    expect((await goesOn(session)).pieces.length).toBeGreaterThan(0);
  });

  it("says what it is of where that is not what it is restored to", async () => {
    const saved = await (await begun(await load("llama"))).save();
    const into = async (model: Model, bytes: Uint8Array<ArrayBuffer> = saved) => {
      const session = model.session();
      const error = await session.restore(bytes).then(
        () => undefined,
        (error) => error,
      );
      // Usable all the same.
      await session.generate(text(3), { maxTokens: 1 });
      return error;
    };
    const changed = await fixture("reference/archs/llama.gguf");
    changed[changed.length - 40] ^= 1;
    const sibling = await loadModel(changed, OPTIONS);
    models.push(sibling);
    for (const other of [await load("llama-yarn"), sibling])
      expect(await into(other)).toMatchObject({ code: "session/mismatch", key: "model" });
    expect(await into(await load("llama", { cacheTypeK: "f32" }))).toMatchObject({
      code: "session/mismatch",
      key: "cacheType",
    });
    const newer = saved.slice();
    newer[16] = 2;
    expect(await into(models[0], newer)).toMatchObject({
      code: "session/mismatch",
      key: "version",
      expected: 1,
      actual: 2,
    });
    expect(await into(await load("llama", { contextLength: 32 }))).toMatchObject({
      code: "context/overflow",
      expected: 32,
      actual: 45,
    });
  });

  it("of absurd sizes is refused before anything is allocated", async () => {
    const model = await load("llama");
    const saved = await (await begun(model)).save();
    const length = new DataView(saved.buffer).getUint32(20, true);
    const head = JSON.parse(new TextDecoder().decode(saved.subarray(24, 24 + length)));
    for (const change of [
      { items: 2 ** 53 - 1, text: 2 ** 53 - 1, rows: 2 ** 53 - 1 },
      { items: 2 ** 31, text: 0, rows: 0 },
      { items: 90, text: 90, rows: 90 },
      { rows: -1 },
      { text: 1e9 },
      { first: head.first.map(() => 2 ** 40) },
      { first: [] },
      { vectors: Array.from({ length: 5000 }, (_, i) => -1 - i) },
      { held: [256] },
      { items: null },
    ]) {
      const json = new TextEncoder().encode(JSON.stringify({ ...head, ...change }));
      const forged = new Uint8Array(24 + json.length + saved.length - 24 - length);
      forged.set(saved.subarray(0, 24));
      new DataView(forged.buffer).setUint32(20, json.length, true);
      forged.set(json, 24);
      forged.set(saved.subarray(24 + length), 24 + json.length);
      expect(await codeOf(model.session().restore(forged)), JSON.stringify(change)).toMatch(
        /^(session\/corrupt|context\/overflow)$/,
      );
    }
    const long = saved.slice();
    new DataView(long.buffer).setUint32(20, 2 ** 32 - 1, true);
    expect(await codeOf(model.session().restore(long))).toBe("session/corrupt");
    for (const wrong of [undefined, "saved", [1, 2]] as never[])
      expect(await codeOf(model.session().restore(wrong))).toBe("input/invalid");
  });

  it("is made and restored by one at a time", async () => {
    const session = await begun(await load("llama"));
    const saving = session.save();
    expect(await codeOf(session.save())).toBe("session/busy");
    expect(() => session.fork()).toThrow(expect.objectContaining({ code: "session/busy" }));
    const saved = await saving;
    const stop = AbortSignal.abort("enough");
    expect(await codeOf(session.restore(saved, { signal: stop }))).toBe("enough");
    await session.dispose();
    expect(await codeOf(session.save())).toBe("session/disposed");
    expect(await codeOf(session.restore(saved))).toBe("session/disposed");
  });
});
