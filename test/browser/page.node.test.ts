import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Browser } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root, toolsFit } from "../../scripts/unpack.mjs";
import { openBrowser, type Site, serve } from "./site.ts";

describe.skipIf(!toolsFit())("the page", () => {
  let folder: string;
  let site: Site;
  let browser: Browser;
  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "webgguf-page-"));
    await build({
      configFile: path.join(root, "cli/page/vite.config.ts"),
      logLevel: "error",
      build: { outDir: folder, emptyOutDir: true },
    });
    site = await serve(folder);
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    site?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  // A busy machine can make any task long, so that a second try is allowed.
  it("answers, stays responsive and asks no other origin for anything", { retry: 2 }, async () => {
    const page = await browser.newPage();
    const requests: string[] = [];
    const complaints: string[] = [];
    page.on("request", (request) => requests.push(request.url()));
    page.on("pageerror", (error) => complaints.push(error.message));
    await page.goto(site.origin, { waitUntil: "networkidle" });
    // As text, because the page has globals that this program's types do not know.
    await page.evaluate(`
      globalThis.longTasks = [];
      new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) longTasks.push(Math.round(duration));
      }).observe({ type: "longtask" });
    `);

    await page.click("#bundled");
    await page.locator("#device", { hasText: / on / }).waitFor({ timeout: 60_000 });
    await page.fill("#prompt", "What is 7 + 5?");
    await page.click("#send");
    await page.locator("#talk .content").first().waitFor({ timeout: 60_000 });
    await page.locator("#stop:disabled").waitFor({ timeout: 60_000 });

    expect(await page.textContent("#talk .content")).toMatch(/\w/);
    expect(complaints).toEqual([]);
    expect(
      requests.filter((url) => !url.startsWith(site.origin) && !/^(blob|data):/.test(url)),
    ).toEqual([]);
    expect(await page.evaluate("longTasks")).toEqual([]);
    await page.close();
  });
});
