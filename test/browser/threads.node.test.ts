/** Threads in a page's worker: with the headers that isolate the page, and without. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { build } from "vite";
import { describe, expect, it } from "vitest";
import { root, toolsFit } from "../../scripts/unpack.mjs";
import { openBrowser, serve } from "./site.ts";

const isolating = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

describe.skipIf(!toolsFit())("a page", () => {
  it("has threads where its headers isolate it, and one without", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "webgguf-threads-"));
    await build({
      configFile: false,
      root: path.join(root, "test/browser/threads"),
      base: "./",
      logLevel: "error",
      worker: { format: "es" },
      build: { outDir: folder, emptyOutDir: true, minify: false },
    });
    const browser = await openBrowser();
    try {
      for (const [headers, said] of [
        [isolating, "3 threads"],
        [{}, "1 thread"],
      ] as const) {
        const site = await serve(folder, headers);
        const page = await browser.newPage();
        await page.goto(site.origin);
        await page.waitForFunction("document.title !== ''", undefined, { timeout: 30_000 });
        expect(await page.title()).toBe(said);
        await page.close();
        site.close();
      }
    } finally {
      await browser.close();
      rmSync(folder, { recursive: true, force: true });
    }
  }, 60_000);
});
