/**
 * How the page looks, and whether everybody can use it: axe-core in six states, in light, dark and on a phone. With
 * SCREENSHOTS=FOLDER it writes the pictures of the README.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root, toolsFit } from "../../scripts/unpack.mjs";
import { ask, type Built, built, loadBundled } from "./built.ts";
import { sample } from "./sample.ts";

const axe = readFileSync(path.join(root, "node_modules/axe-core/axe.min.js"), "utf8");
const pictures = process.env["SCREENSHOTS"];

interface Found {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

/** What is serious or worse, a line each. */
async function serious(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const found = (await page.evaluate(
    "axe.run().then(({ violations }) => JSON.parse(JSON.stringify(violations)))",
  )) as Found[];
  return found
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 120)} ${failureSummary}`),
    );
}

const looks = {
  light: { viewport: { width: 1280, height: 800 }, colorScheme: "light" },
  dark: { viewport: { width: 1280, height: 800 }, colorScheme: "dark" },
  phone: { viewport: { width: 390, height: 844 }, colorScheme: "light", hasTouch: true },
} as const;

describe.skipIf(!toolsFit())("the page's looks", () => {
  let all: Built;
  beforeAll(async () => {
    all = await built();
  });
  afterAll(() => all?.close());

  it.each(Object.keys(looks) as (keyof typeof looks)[])(
    "are open to everybody in six states (%s)",
    async (name) => {
      // The page's policy stands in the way of axe-core, whose text is evaluated.
      const context: BrowserContext = await all.browser.newContext({
        ...looks[name],
        bypassCSP: true,
      });
      const page = await context.newPage();
      const wrong: Record<string, string[]> = {};
      const state = async (what: string): Promise<void> => {
        await page.waitForTimeout(250);
        const wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
        const found = await serious(page);
        if (wide !== 0) found.push(`it is ${wide} pixels too wide`);
        if (found.length > 0) wrong[what] = found;
        if (pictures)
          await page.screenshot({ path: path.join(pictures, `page-${name}-${what}.png`) });
      };
      const openSidebar = async (): Promise<void> => {
        if (name === "phone") await page.getByLabel("Show conversations").click();
      };
      await page.goto(all.site.origin);
      await page.locator("#bundled").waitFor();
      await state("first");
      await loadBundled(page);
      await openSidebar();
      await page.locator("#settings").click();
      await page.setInputFiles("#import", {
        name: "sample.json",
        mimeType: "application/json",
        buffer: Buffer.from(sample),
      });
      await page.getByText("6 conversations were imported.").waitFor();
      await state("settings");
      await page.getByLabel("Close", { exact: true }).click();
      await openSidebar();
      await page.locator("#models").click();
      await state("models");
      await page.getByLabel("Close", { exact: true }).click();
      await openSidebar();
      if (name === "phone") await state("list");
      await page.locator(".list .title", { hasText: "rainbow" }).click();
      await page.locator(".answer table").waitFor();
      await page.locator("#thread").evaluate((box) => box.scrollTo(0, 0));
      await state("conversation");
      await page.getByText("Thoughts").click();
      await page.locator("#thread").evaluate((box) => box.scrollTo(0, box.scrollHeight));
      await page.locator(".question").last().hover();
      await page.locator(".question").last().getByLabel("Edit message").click();
      await state("editing");
      await page.getByText("Cancel").click();
      await openSidebar();
      await page.locator("#models").click();
      await page.setInputFiles("#file", {
        name: "broken.gguf",
        mimeType: "application/octet-stream",
        buffer: Buffer.from("no model"),
      });
      await page.locator("#error").first().waitFor();
      await state("failed");
      expect(wrong).toEqual({});
      await context.close();
    },
  );

  it("leave everything within reach at twice the size", async () => {
    // Twice the size on a window of 1280 pixels is a window of 640.
    const context = await all.browser.newContext({ viewport: { width: 640, height: 400 } });
    const page = await context.newPage();
    await page.goto(all.site.origin);
    await loadBundled(page);
    await ask(page, "What is 7 + 5?");
    expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBe(0);
    const box = await page.locator(".answer .prose").boundingBox();
    expect(box!.height).toBeGreaterThan(0);
    await context.close();
  });
});
