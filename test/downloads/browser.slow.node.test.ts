/** The store in Chromium: a page, its worker, the private file system, and what a tab leaves when it dies. */
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import type { BrowserContext, Page } from "playwright-core";
import { chromium } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type * as Webgguf from "../../mod.ts";
import { unpackChromium } from "../../scripts/unpack.mjs";
import type * as Worker_ from "../../src/worker/mod.ts";
import { type Site, serve } from "../browser/site.ts";
import { root } from "../checks/sources.ts";
import { type FakeHub, fakeFile, fakeHub, repoOf } from "./fake-hub.ts";
import { fixtureModel, MIB, noise } from "./kit.ts";

declare const webgguf: typeof Webgguf;
declare const loadModelInWorker: (typeof Worker_)["loadModelInWorker"];
declare const engine: () => Worker;

const folder = mkdtempSync(path.join(os.tmpdir(), "webgguf-browser-"));
const content = noise(24 * MIB + 11);
const { sha256 } = fakeFile(content);
let hub: FakeHub;
let site: Site;
let context: BrowserContext;

beforeAll(async () => {
  hub = await fakeHub({
    "user/tale-GGUF": repoOf({ "tale-Q8_0.gguf": fakeFile(await fixtureModel()) }),
    "user/large": repoOf({ "large-Q8_0.gguf": fakeFile(noise(256 * MIB, 3)) }),
    "user/noise": repoOf({ "noise-Q8_0.gguf": fakeFile(content) }),
  });
  await build({
    configFile: false,
    root: path.join(root, "test/downloads"),
    logLevel: "error",
    base: "./",
    worker: { format: "es" },
    build: {
      outDir: path.join(folder, "site"),
      emptyOutDir: true,
      target: "es2022",
      rolldownOptions: { input: path.join(root, "test/downloads/page.html") },
    },
  });
  site = await serve(path.join(folder, "site"));
  const { executable, libraries } = unpackChromium()!;
  context = await chromium.launchPersistentContext(path.join(folder, "profile"), {
    executablePath: executable,
    args: ["--enable-unsafe-webgpu"],
    env: { ...process.env, LD_LIBRARY_PATH: libraries } as Record<string, string>,
  });
});
afterAll(async () => {
  await context?.close();
  site?.close();
  await hub?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function open(): Promise<Page> {
  const page = await context.newPage();
  page.on("pageerror", (error) => console.error(error));
  await page.goto(`${site.origin}/page.html`);
  await page.waitForFunction(() => "webgguf" in globalThis);
  hub.requests.length = 0;
  hub.faults = {};
  hub.sent = 0;
  return page;
}

/** The digest of a model as the page reads it. */
const digestIn = (page: Page, reference: string): Promise<string> =>
  page.evaluate(
    async ([reference, endpoint]) => {
      const source = await webgguf.openSource(reference, { endpoint });
      const bytes = await source.read(0, source.size);
      await (source as unknown as { whole(): Promise<boolean> }).whole();
      await source.close();
      const digest = await crypto.subtle.digest("SHA-256", bytes);
      return Array.from(new Uint8Array(digest), (b) => b.toString(16).padStart(2, "0")).join("");
    },
    [reference, hub.endpoint],
  );

const listIn = (page: Page) => page.evaluate(() => webgguf.models.list());
const removeIn = (page: Page, reference: string) =>
  page.evaluate((one) => webgguf.models.remove(one), reference);

describe("in Chromium", () => {
  it("a model is kept across reloads without network, and its space is shown and freed", async () => {
    const page = await open();
    const answer = (): Promise<string | null> =>
      page.evaluate(async (endpoint) => {
        const options = { endpoint, device: "cpu" };
        const model = await webgguf.loadModel("hf:user/tale-GGUF", options);
        const session = model.session();
        const { message } = await session.generate("Once upon a time", {
          temperature: 0,
          maxTokens: 5,
        });
        await model.dispose();
        return message.content;
      }, hub.endpoint);
    const first = await answer();
    expect(hub.requests.length).toBeLessThan(8);
    expect(hub.requests.filter((one) => one.startsWith("OPTIONS"))).toEqual([]);
    hub.requests.length = 0;
    await page.reload();
    await page.waitForFunction(() => "webgguf" in globalThis);
    expect(await answer()).toBe(first);
    expect(hub.requests).toEqual([]);
    const space = await page.evaluate(() => webgguf.models.space());
    expect(space.used).toBe((await fixtureModel()).length);
    expect(space.quota).toBeGreaterThan(space.used);
    expect(await page.evaluate(() => webgguf.models.verify("hf:user/tale-GGUF"))).toMatchObject([
      { ok: true },
    ]);
    expect(await removeIn(page, "hf:user/tale-GGUF")).toBe(space.used);
    expect(await listIn(page)).toEqual([]);
    await page.close();
  });

  it("a model is kept by the engine's worker as well, which tells how it gets on", async () => {
    const page = await open();
    const load = (): Promise<string[]> =>
      page.evaluate(async (endpoint) => {
        const from: string[] = [];
        const worker = engine();
        const model = await loadModelInWorker(worker, "hf:user/tale-GGUF:Q8_0", {
          endpoint,
          device: "cpu",
          onProgress: (progress) => {
            if (progress.stage === "download" && progress.loaded === progress.total)
              from.push(progress.from ?? "");
          },
        });
        const { message } = await model.session().generate("Once", { maxTokens: 2 });
        await model.dispose();
        worker.terminate();
        return [...from, String(message.content !== "")];
      }, hub.endpoint);
    const [url, answered] = await load();
    expect(url.startsWith(hub.endpoint)).toBe(true);
    expect(answered).toBe("true");
    hub.requests.length = 0;
    expect((await load())[0]).toMatch(/^webgguf\/hub\//);
    expect(hub.requests).toEqual([]);
    await removeIn(page, "hf:user/tale-GGUF");
    await page.close();
  });

  it("no task of the main thread is longer than 50 ms meanwhile", async () => {
    const page = await open();
    await page.evaluate(() => {
      const tasks: number[] = [];
      Object.assign(globalThis, { tasks });
      new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) tasks.push(duration);
      }).observe({ type: "longtask" });
    });
    await page.evaluate(
      (endpoint) => webgguf.models.pull("hf:user/noise", { endpoint }),
      hub.endpoint,
    );
    const tasks = await page.evaluate(() => (globalThis as unknown as { tasks: number[] }).tasks);
    expect(tasks).toEqual([]);
    expect(await page.evaluate(() => webgguf.models.verify("hf:user/noise"))).toMatchObject([
      { ok: true, sha256 },
    ]);
    await removeIn(page, "hf:user/noise");
    await page.close();
  });

  it("the digest of 256 MB is there at most a second after the last byte", async () => {
    const page = await open();
    hub.faults = { rate: 15 * MIB };
    const { after, bytes } = await page.evaluate(async (endpoint) => {
      let arrived = 0;
      const { bytes } = await webgguf.models.pull("hf:user/large", {
        endpoint,
        onProgress: ({ loaded, total }) => {
          if (loaded === total) arrived ||= performance.now();
        },
      });
      return { after: performance.now() - arrived, bytes };
    }, hub.endpoint);
    expect(bytes).toBe(256 * MIB);
    expect(after).toBeLessThan(1000);
    await removeIn(page, "hf:user/large");
    await page.close();
  });

  it("two tabs fetch once", async () => {
    const [one, two] = [await open(), await open()];
    hub.faults = { rate: 20 * MIB };
    expect(await Promise.all([one, two].map((page) => digestIn(page, "hf:user/noise")))).toEqual([
      sha256,
      sha256,
    ]);
    expect(hub.sent).toBeLessThan(content.length + 100);
    await removeIn(one, "hf:user/noise");
    await one.close();
    await two.close();
  });

  it.each(["closed", "crashed"])("what a tab had when it %s is not fetched again", async (how) => {
    const page = await open();
    hub.faults = { rate: 16 * MIB };
    page
      .evaluate(
        async (endpoint) => webgguf.models.pull("hf:user/noise", { endpoint }),
        hub.endpoint,
      )
      .catch(() => {});
    while (hub.sent < 14 * MIB) await new Promise((resolve) => setTimeout(resolve, 20));
    if (how === "closed") await page.close();
    else {
      const session = await context.newCDPSession(page);
      const gone = page.waitForEvent("crash");
      session.send("Page.crash").catch(() => {});
      await gone;
      await page.close();
    }
    const sent = hub.sent;
    const next = await open();
    expect(await digestIn(next, "hf:user/noise")).toBe(sha256);
    // At most a window of what the first tab had.
    expect(sent + hub.sent - content.length).toBeLessThan(16 * MIB);
    await removeIn(next, "hf:user/noise");
    await next.close();
  });

  it("goes on without the store where the quota is too small, and keeps nothing by half", async () => {
    const page = await open();
    const session = await context.newCDPSession(page);
    const { usage } = await session.send("Storage.getUsageAndQuota", { origin: site.origin });
    await session.send("Storage.overrideQuotaForOrigin", {
      origin: site.origin,
      quotaSize: usage + 20 * MIB,
    });
    expect(await digestIn(page, "hf:user/noise")).toBe(sha256);
    expect(await listIn(page)).toEqual([]);
    await session.send("Storage.overrideQuotaForOrigin", { origin: site.origin });
    await page.close();
  });
});
