/** The page from its first screen on, in Chromium. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root, toolsFit } from "../../scripts/unpack.mjs";
import { splitFiles } from "../split.ts";
import {
  answered,
  ask,
  type Built,
  built,
  lastAnswer,
  loadBundled,
  longTasks,
  preset,
  ready,
  watch,
} from "./built.ts";

describe.skipIf(!toolsFit())("the page", () => {
  let all: Built;
  beforeAll(async () => {
    all = await built();
  });
  afterAll(() => all?.close());

  it("answers, stays responsive and asks no other origin for anything", async () => {
    const context = await all.browser.newContext();
    const page = await context.newPage();
    const { requests, complaints } = watch(page);
    await page.goto(all.site.origin);
    const long = await longTasks(page, async () => {
      await loadBundled(page);
      await preset(page, { Temperature: "0" });
      await ask(page, "What is 7 + 5?");
    });
    expect(long).toEqual([]);
    expect(await lastAnswer(page)).toContain("7 + 5 = 12.");
    expect(await page.locator(".answer .figures").textContent()).toMatch(/tokens .* first after/);
    expect(await page.locator(".gauge").getAttribute("title")).toMatch(/^\d+ of 512 tokens/);

    // A reload keeps conversation and model; another answer and another question are branches.
    await page.reload();
    await ready(page);
    expect(await lastAnswer(page)).toContain("7 + 5 = 12.");
    await page.getByLabel("Another answer").click();
    await page.locator(".branches", { hasText: "2 / 2" }).waitFor();
    await answered(page);
    await page.getByLabel("Branch before").click();
    await page.locator(".branches", { hasText: "1 / 2" }).waitFor();
    await page.locator(".question").hover();
    await page.getByLabel("Edit message").click();
    await page.locator(".editor textarea").fill("What is 2 + 2?");
    await page.getByText("Ask again").click();
    await answered(page);
    expect(await page.locator(".question").count()).toBe(1);
    expect(await page.locator(".said").textContent()).toBe("What is 2 + 2?");
    await page.getByLabel("Branch before").click();
    await page.locator(".said", { hasText: "7 + 5" }).waitFor();

    await page.locator("#search").fill("2 + 2 =");
    await page.locator(".list .title").waitFor();
    await page.locator("#search").fill("no such words");
    await page.locator(".list", { hasText: "Nothing holds" }).waitFor();

    expect(complaints).toEqual([]);
    expect(
      requests.filter((url) => !url.startsWith(all.site.origin) && !/^(blob|data):/.test(url)),
    ).toEqual([]);
    await context.close();
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
    const context = await all.browser.newContext();
    const page = await context.newPage();
    await page.goto(all.site.origin);
    const error = page.locator("#error");

    await page.setInputFiles("#file", [third, first]);
    await error.filter({ hasText: second.name }).waitFor();
    await page.setInputFiles("#file", [first, { ...second, name: "copy.gguf" }, second, third]);
    await error.filter({ hasText: /copy\.gguf.*leave one/ }).waitFor();

    await page.setInputFiles("#file", [second, third, first]);
    await page.locator("#device", { hasText: /^tale\.gguf \(3 files\)/ }).waitFor();
    await ready(page);
    expect(await error.count()).toBe(0);

    const long = "What is 7 + 5? ".repeat(200).trim();
    await page.fill("#prompt", long);
    await page.click("#send");
    const failure = page.locator(".answer .failure");
    await failure.filter({ hasText: /too long.* 512 tokens, .*Shorten it/ }).waitFor();
    // It can be made shorter where it stands.
    await page.locator(".question").hover();
    await page.getByLabel("Edit message").click();
    expect(await page.locator(".editor textarea").inputValue()).toBe(long);
    await page.locator(".editor textarea").fill("What is 7 + 5?");
    await page.getByText("Ask again").click();
    await answered(page);
    expect(await failure.count()).toBe(0);
    await context.close();
  });
});
