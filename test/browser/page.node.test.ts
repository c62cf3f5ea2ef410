import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Browser } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root, toolsFit } from "../../scripts/unpack.mjs";
import { splitFiles } from "../split.ts";
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

  it("takes the files of a split model, and says what is wrong in a reader's words", async () => {
    const bytes = new Uint8Array(readFileSync(path.join(root, "models/webgguf-tale-q8_0.gguf")));
    const files = await Promise.all(
      (await splitFiles(bytes, "tale", 16)).map(async (file) => ({
        name: file.name,
        mimeType: "application/octet-stream",
        buffer: Buffer.from(await file.arrayBuffer()),
      })),
    );
    const [first, second, third] = files;
    const page = await browser.newPage();
    await page.goto(site.origin, { waitUntil: "networkidle" });
    const error = page.locator("#error");

    await page.setInputFiles("#file", [third, first]);
    await error.filter({ hasText: second.name }).waitFor();
    await page.setInputFiles("#file", [first, { ...second, name: "copy.gguf" }, second, third]);
    await error.filter({ hasText: /copy\.gguf.*leave one/ }).waitFor();

    await page.setInputFiles("#file", [second, third, first]);
    const device = page.locator("#device", { hasText: /^tale\.gguf \(3 files\): qwen3 on / });
    await device.waitFor({ timeout: 60_000 });
    expect(await error.isVisible()).toBe(false);

    const long = "What is 7 + 5? ".repeat(200);
    await page.fill("#prompt", long);
    await page.click("#send");
    await error.filter({ hasText: /too long.* 512 tokens, .*Shorten it/ }).waitFor();
    // It can be made shorter, and the conversation is as if it had not been sent.
    expect(await page.inputValue("#prompt")).toBe(long.trim());
    expect(await page.textContent("#talk")).toBe("");
    await page.fill("#prompt", "What is 7 + 5?");
    await page.click("#send");
    await page.locator("#talk .content").first().waitFor({ timeout: 60_000 });
    await page.locator("#stop:disabled").waitFor({ timeout: 60_000 });
    expect(await error.isVisible()).toBe(false);
    await page.close();
  });
});
