/** Many models: loaded on request, one for all that wait, the longest unused goes, never a busy one. */
import { afterEach, describe, expect, it } from "vitest";
import type { HostOptions } from "../../cli/server/host.ts";
import type { LoadOptions, Model } from "../../mod.ts";
import { entry, eventsOf, type Json, loadTale, type Tested, testApp } from "./app.ts";

const CHAT = "/v1/chat/completions";
const entries = ["a", "b", "c"].map((id) => entry(id, { parallel: 2, aliases: [`${id}2`] }));
const chat = (model: string, more: object = {}): object => ({
  model,
  messages: [{ role: "user", content: "What is 7 + 5?" }],
  temperature: 0,
  max_tokens: 12,
  ...more,
});
const TEXT = "7 + 5 = 12.";

describe("a server of many models", () => {
  const open: Tested[] = [];
  afterEach(async () => {
    for (const app of open.splice(0)) await app.close();
  });
  /** An app that counts loads and what is held. */
  const counting = (host: Partial<HostOptions>, list = entries) => {
    const loads: string[] = [];
    let held = 0;
    let most = 0;
    const app = testApp(list, {
      ...host,
      load: async (source: string, options: LoadOptions): Promise<Model> => {
        loads.push(source);
        const model = await loadTale(source, options);
        most = Math.max(most, ++held);
        const dispose = model.dispose.bind(model);
        model.dispose = async () => {
          held--;
          await dispose();
        };
        return model;
      },
    });
    open.push(app);
    return { app, loads, held: () => held, most: () => most };
  };
  const states = async (app: Tested): Promise<Record<string, string>> =>
    Object.fromEntries(
      (await app.get("/v1/models")).body.data.map((one: Json) => [one.id, one.status.value]),
    );
  const content = async (app: Tested, model: string, more: object = {}): Promise<string> =>
    (await app.post(CHAT, chat(model, more))).body.choices[0].message.content;
  const stream = async (app: Tested, model: string) => {
    const response = await app.request(CHAT, {
      method: "POST",
      body: JSON.stringify(chat(model, { stream: true, max_tokens: -1, ignore_eos: true })),
    });
    const reader = response.body!.getReader();
    await reader.read();
    return reader;
  };

  it("loads on request, by name or alias, once for all that wait", async () => {
    const { app, loads } = counting({});
    const texts = await Promise.all(["a", "a2", "a", "b"].map((model) => content(app, model)));
    expect(texts).toEqual([TEXT, TEXT, TEXT, TEXT]);
    expect(loads).toEqual(["a.gguf", "b.gguf"]);
    expect(await states(app)).toEqual({ a: "loaded", b: "loaded", c: "unloaded" });
  });

  it("a name that there is not is 404, none is 400", async () => {
    const { app } = counting({});
    expect((await app.post(CHAT, chat("z"))).status).toBe(404);
    expect((await app.post(CHAT, { ...chat("z"), model: undefined })).body.error.param).toBe(
      "model",
    );
  });

  it("the one longest unused goes", async () => {
    const { app, most } = counting({ most: 2 });
    for (const model of ["a", "b", "a", "c"]) await content(app, model);
    expect(await states(app)).toEqual({ a: "loaded", b: "unloaded", c: "loaded" });
    expect(most()).toBe(2);
  });

  it("one that answers never goes: the other waits until it is idle", async () => {
    const { app, most } = counting({ most: 1 });
    const running = await stream(app, "a");
    let answered = false;
    const other = content(app, "b").then((text) => {
      answered = true;
      return text;
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect([answered, (await states(app)).a]).toEqual([false, "loaded"]);
    await running.cancel();
    expect(await other).toBe(TEXT);
    expect(most()).toBe(1);
  });

  it("a pinned one never goes", async () => {
    const { app } = counting({ most: 1 }, [entry("a", { pinned: true }), entry("b")]);
    await content(app, "a");
    expect((await app.post(CHAT, chat("b"))).status).toBe(503);
    expect(await content(app, "a")).toBe(TEXT);
  });

  it("a budget smaller than two models never holds both; one too large is refused", async () => {
    const needs = async ({ id }: { id: string }): Promise<number> => (id === "c" ? 900 : 60);
    const { app, most } = counting({ memory: 100, needs });
    // What a loaded model holds counts from then on, so that the budget is one of the real bytes.
    const { app: real, most: mostReal } = counting({
      memory: 3 << 20,
      needs: async () => 2_600_000,
    });
    expect(await content(app, "a")).toBe(TEXT);
    expect((await app.post(CHAT, chat("c"))).status).toBe(503);
    expect(most()).toBe(1);
    for (const model of ["a", "b", "a"]) expect(await content(real, model)).toBe(TEXT);
    expect(mostReal()).toBe(1);
  });

  it("who leaves while all wait costs nobody; a load that nobody waits for is given up", async () => {
    const { app, loads } = counting({ most: 1 });
    const running = await stream(app, "a");
    const leaving = new AbortController();
    const left = app.request(CHAT, {
      method: "POST",
      body: JSON.stringify(chat("b")),
      signal: leaving.signal,
    });
    await new Promise((resolve) => setTimeout(resolve, 30));
    leaving.abort();
    await left.catch(() => {});
    await running.cancel();
    expect(await content(app, "c")).toBe(TEXT);
    expect(loads).toEqual(["a.gguf", "c.gguf"]);
  });

  it("without autoload a request may still ask for it", async () => {
    const { app } = counting({ autoload: false });
    expect((await app.post(`${CHAT}?autoload=1`, chat("a"))).status).toBe(200);
    const other = counting({});
    expect((await other.app.post(`${CHAT}?autoload=0`, chat("a"))).status).toBe(400);
  });

  describe("fetches", () => {
    /** A store whose downloads the test drives. */
    const fetching = () => {
      const calls: { reference: string; progress(loaded: number): void; end(why?: Error): void }[] =
        [];
      const removed: string[] = [];
      const { app } = counting(
        {
          store: {
            pull: (reference, { signal, onProgress }) =>
              new Promise<void>((resolve, reject) => {
                signal.addEventListener("abort", () => reject(signal.reason));
                calls.push({
                  reference,
                  progress: (loaded) => onProgress({ stage: "download", loaded, total: 100 }),
                  end: (why) => (why ? reject(why) : resolve()),
                });
              }),
            remove: async (reference) => removed.push(reference),
            entry: (reference) => entry(reference, { source: `hf:${reference}`, stored: true }),
          },
        },
        [entry("a")],
      );
      /** The events until one of `name`. */
      const watch = async (): Promise<(name: string) => Promise<Json[]>> => {
        const reader = (await app.request("/models/sse")).body!.getReader();
        let text = "";
        return async (name) => {
          for (;;) {
            const { data: last } = eventsOf(text).at(-1) ?? { data: {} };
            if (last.event === name || last.data?.status === name) break;
            text += new TextDecoder().decode((await reader.read()).value);
          }
          return eventsOf(text).map(({ data }) => data);
        };
      };
      return { app, calls, removed, watch };
    };

    it("a model, with progress, and serves it", async () => {
      const { app, calls, removed, watch } = fetching();
      const until = await watch();
      expect((await app.post("/models", { model: "u/m" })).body.success).toBe(true);
      expect(await states(app)).toEqual({ a: "unloaded", "u/m": "downloading" });
      const busy = await app.request(CHAT, { method: "POST", body: JSON.stringify(chat("u/m")) });
      expect([busy.status, busy.headers.get("retry-after")]).toEqual([503, "5"]);
      calls[0].progress(50);
      const events = await until("download_progress");
      expect(events[0]).toEqual({
        ...{ model: "u/m", event: "status_change", data: { status: "downloading" } },
      });
      expect(events[1].data.progress).toMatchObject({ value: 0.5, loaded: 50, total: 100 });
      expect((await app.get("/v1/models")).body.data[1].status.progress.value).toBe(0.5);
      calls[0].end();
      await until("unloaded");
      expect(await content(app, "u/m")).toBe(TEXT);
      expect((await until("loaded")).at(-1).event).toBe("status_change");
      expect((await app.post("/models", { model: "u/m" })).body.error.param).toBe("model");
      expect((await app.post(CHAT, chat("other"))).status).toBe(404);
      const gone = await app.request("/models?model=u/m", { method: "DELETE" });
      expect([gone.status, removed]).toEqual([200, ["hf:u/m"]]);
      expect(await states(app)).toEqual({ a: "unloaded" });
      await until("model_removed");
      expect((await app.request("/models?model=a", { method: "DELETE" })).status).toBe(400);
      expect((await app.request("/models", { method: "DELETE" })).status).toBe(400);
    });

    it("none that fails or is given up", async () => {
      const { app, calls, watch } = fetching();
      const until = await watch();
      await app.post("/models", { model: "u/m" });
      calls[0].end(new Error("no such file"));
      expect((await until("download_failed")).at(-1).data.error).toBe("no such file");
      await app.post("/models", { model: "u/n" });
      expect((await app.request("/models?model=u/n", { method: "DELETE" })).status).toBe(200);
      await until("model_removed");
      expect(await states(app)).toEqual({ a: "unloaded" });
      const { app: plain } = counting({});
      expect((await plain.post("/models", { model: "u/m" })).status).toBe(400);
    });
  });

  it("without autoload it is loaded by hand", async () => {
    const { app } = counting({ autoload: false });
    expect((await app.post(CHAT, chat("a"))).status).toBe(400);
    expect((await app.post("/models/load", { model: "a" })).body).toEqual({ success: true });
    expect(await content(app, "a")).toBe(TEXT);
    expect((await app.post("/models/unload", { model: "a" })).body).toEqual({ success: true });
    expect((await states(app)).a).toBe("unloaded");
  });

  it("a model that answers is not unloaded by hand", async () => {
    const { app } = counting({});
    const running = await stream(app, "a");
    expect((await app.post("/models/unload", { model: "a" })).status).toBe(400);
    await running.cancel();
  });

  it("an idle one sleeps, holds nothing, and wakes with the same text", async () => {
    const { app, held } = counting({ sleepAfter: 40 });
    expect(await content(app, "a")).toBe(TEXT);
    for (let i = 0; i < 200 && held() > 0; i++) await new Promise((r) => setTimeout(r, 20));
    expect([held(), (await states(app)).a]).toEqual([0, "sleeping"]);
    expect(await content(app, "a")).toBe(TEXT);
  });

  it("a model that cannot be loaded says why, and others answer", async () => {
    const app = testApp(entries, {
      load: async (source, options) => {
        if (source === "a.gguf") throw new Error("a.gguf is no model");
        return loadTale(source, options);
      },
    });
    open.push(app);
    expect((await app.post(CHAT, chat("a"))).status).toBe(500);
    expect((await app.get("/v1/models")).body.data[0].status.error).toBe("a.gguf is no model");
    expect(await content(app, "b")).toBe(TEXT);
  });
});
