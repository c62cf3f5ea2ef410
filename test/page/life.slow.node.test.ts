/** What happens to the page in its life: no network, a crash, a second tab, a full context, models from servers. */
import { createReadStream, readFileSync, statSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { root, toolsFit } from "../../scripts/unpack.mjs";
import { fakeFile, fakeHub, repoOf } from "../downloads/fake-hub.ts";
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
  until,
} from "./built.ts";
import { longSample, sample } from "./sample.ts";

const tale = path.join(root, "models/webgguf-tale-q8_0.gguf");
const STORY = "Tell me a story about a fox who lost a hat.";

describe.skipIf(!toolsFit())("the page", () => {
  let all: Built;
  let context: BrowserContext;
  let page: Page;
  beforeAll(async () => {
    all = await built();
  });
  afterAll(() => all?.close());
  beforeEach(async () => {
    context = await all.browser.newContext();
    page = await context.newPage();
    await page.goto(all.site.origin);
  });
  afterEach(() => context.close());

  const exact = (): Promise<void> => preset(page, { Temperature: "0" });
  const story = async (): Promise<void> => {
    await page.locator("#prompt").fill(STORY);
    await page.locator("#send").click();
    await until(page, "(document.querySelector('.answer .prose')?.textContent.length ?? 0) > 20");
  };
  const wholeStory = async (): Promise<string> => {
    await ask(page, STORY);
    return lastAnswer(page);
  };
  const newConversation = (): Promise<void> => page.locator("#new").click();
  const importing = async (text: string): Promise<void> => {
    await page.locator("#settings").click();
    await page.setInputFiles("#import", {
      name: "conversations.json",
      mimeType: "application/json",
      buffer: Buffer.from(text),
    });
    await page.getByText(/imported\./).waitFor();
    await page.keyboard.press("Escape");
    await page.locator("dialog[open]").waitFor({ state: "hidden" });
  };

  it("stops, and carries on to the same text", async () => {
    await loadBundled(page);
    await exact();
    const whole = await wholeStory();
    // A busy machine may press the key when the answer is whole: then it is asked anew.
    for (let tries = 0; tries < 10; tries++) {
      await newConversation();
      await page.locator("#prompt").fill(STORY);
      await page.locator("#send").click();
      await page.locator("#stop").waitFor();
      await page.keyboard.press("Escape");
      await answered(page);
      if ((await page.getByText("Continue").count()) > 0) break;
    }
    const begun = (await lastAnswer(page)).trimEnd();
    expect(whole.startsWith(begun)).toBe(true);
    expect(begun.length).toBeLessThan(whole.length);
    await page.getByText("Continue").click();
    await answered(page);
    expect(await lastAnswer(page)).toBe(whole);
  });

  it("carries on an answer that was as long as the preset allows", async () => {
    await loadBundled(page);
    await exact();
    const whole = await wholeStory();
    await preset(page, { "Longest answer": "20" });
    await newConversation();
    await ask(page, STORY);
    await page
      .locator(".figures", { hasText: "The longest answer that the preset allows." })
      .waitFor();
    await preset(page, { "Longest answer": "-1" });
    await page.getByText("Continue").click();
    await answered(page);
    expect(await lastAnswer(page)).toBe(whole);
  });

  it("keeps an answer through a crash in the middle, and carries on to the same text", async () => {
    await loadBundled(page);
    await exact();
    const whole = await wholeStory();
    await newConversation();
    await story();
    await page.waitForTimeout(600);
    const devtools = await context.newCDPSession(page);
    void devtools.send("Page.crash").catch(() => {});
    await page.waitForEvent("crash");
    const other = await context.newPage();
    await other.goto(all.site.origin);
    await ready(other);
    await other.locator(".answer").waitFor();
    if ((await other.getByText("Continue").count()) > 0) await other.getByText("Continue").click();
    await answered(other);
    expect(await lastAnswer(other)).toBe(whole);
  });

  it("finishes the same text while it is hidden", async () => {
    await loadBundled(page);
    await exact();
    const whole = await wholeStory();
    await newConversation();
    await story();
    const front = await context.newPage();
    await front.bringToFront();
    await until(page, "document.querySelector('#send') !== null");
    expect(await lastAnswer(page)).toBe(whole);
  });

  it("starts without network after the first visit, and answers", async () => {
    await loadBundled(page);
    await exact();
    await until(page, "navigator.serviceWorker.controller !== null");
    // The model was fetched before the worker was there: the next load keeps it.
    await page.reload();
    await ready(page);
    await context.setOffline(true);
    await page.reload();
    await ready(page);
    await ask(page, "What is 7 + 5?");
    expect(await lastAnswer(page)).toContain("7 + 5 = 12.");
  });

  it("has one engine for two tabs", async () => {
    await loadBundled(page);
    await exact();
    const other = await context.newPage();
    await other.goto(all.site.origin);
    await ready(other);
    await Promise.all([ask(page, STORY), ask(other, "What is 7 + 5?")]);
    expect(await lastAnswer(other)).toContain("7 + 5 = 12.");
    // Each tab has the other's conversation in its list.
    await page.locator(".list .title", { hasText: "7 + 5" }).waitFor();
    await other.locator("#models").click();
    await other.getByText("Unload").click();
    await page.locator("#device").waitFor({ state: "detached" });
  });

  it("says so where the oldest turns leave a full context, and goes on", async () => {
    await loadBundled(page);
    await exact();
    for (let turn = 0; turn < 12; turn++) {
      await ask(page, turn % 2 === 0 ? STORY : "What is 7 + 5?");
      if ((await page.locator(".left-out").count()) > 0) break;
    }
    await page.locator(".left-out").waitFor();
    expect((await lastAnswer(page)).trim().length).toBeGreaterThan(0);
  });

  it("fetches from a hub and from a server, keeps models without network, and deletes them", async () => {
    const hub = await fakeHub({
      "some/tale": repoOf({ "tale-Q8_0.gguf": fakeFile(readFileSync(tale)) }),
    });
    const server = http.createServer((request, response) => {
      response.setHeader("Access-Control-Allow-Origin", "*");
      // Without a length nothing would be kept.
      response.setHeader("Content-Length", request.url === "/tale.gguf" ? statSync(tale).size : 0);
      if (request.url === "/tale.gguf") createReadStream(tale).pipe(response);
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    try {
      await page.locator("#settings").click();
      await page.getByLabel(/come from/).fill(hub.endpoint);
      await page.getByLabel(/come from/).blur();
      await page.keyboard.press("Escape");
      await page.locator("#reference").fill("hf:some/tale");
      await page.getByText("Fetch", { exact: true }).click();
      await ready(page);
      expect(await page.locator("#device").textContent()).toContain("tale-Q8_0.gguf");
      await page.locator("#models").click();
      await page.locator("#reference").fill(`http://127.0.0.1:${port}/missing.gguf`);
      await page.getByText("Fetch", { exact: true }).click();
      await page.locator("#error", { hasText: /404/ }).waitFor();
      await page.locator("#reference").fill(`http://127.0.0.1:${port}/tale.gguf`);
      await page.getByText("Fetch", { exact: true }).click();
      await page.locator(".stored li").nth(1).waitFor();
      await page.locator("#device", { hasText: "tale.gguf" }).waitFor();
      await ready(page);
      await page.getByText("Fits?").first().click();
      await page.locator(".stored .hint", { hasText: /Fits with a context of 512/ }).waitFor();
      await page
        .getByLabel(/^Delete hf|^Delete some|^Delete tale/)
        .first()
        .click();
      await page.locator(".stored").getByText("Delete", { exact: true }).click();
      await until(page, "document.querySelectorAll('.stored li').length === 1");
      await page.reload();
      // What is kept is loaded again without its server.
      server.close();
      await hub.close();
      await ready(page);
    } finally {
      server.close();
      await hub.close().catch(() => {});
    }
  });

  it("gives back the conversations that it took in", async () => {
    await importing(sample);
    await page.locator("#settings").click();
    const [file] = await Promise.all([
      page.waitForEvent("download"),
      page.getByText("Export all").click(),
    ]);
    const text = readFileSync(await file.path(), "utf8");
    const sorted = (json: string): unknown[] =>
      JSON.parse(json).conversations.sort(
        (a: { head: { id: string } }, b: { head: { id: string } }) =>
          a.head.id < b.head.id ? -1 : 1,
      );
    expect(sorted(text)).toEqual(sorted(sample));
  });

  it("stays responsive with a conversation of 1,000 messages", async () => {
    await importing(longSample(1000));
    // The processor's time, too, is longer on a busy machine: what the page itself takes long for, it does each time.
    let long: number[] = [0];
    for (let tries = 0; tries < 3 && long.length > 0; tries++) {
      await page.reload();
      long = await longTasks(page, async () => {
        await page.locator(".list .title", { hasText: "A long conversation" }).click();
        await page.locator(".answer table").first().waitFor();
        for (let i = 0; i < 100 && (await page.locator(".message").count()) <= 60; i++) {
          await page.locator("#thread").evaluate((box) => box.scrollTo(0, 0));
          await page.waitForTimeout(100);
        }
      });
    }
    expect(await page.locator(".message").count()).toBeGreaterThan(60);
    expect(long).toEqual([]);
  });

  it("can be used by keys alone", async () => {
    await loadBundled(page);
    await exact();
    await page.keyboard.press("Control+Shift+O");
    await until(page, "document.activeElement?.id === 'prompt'");
    await page.keyboard.type("What is 7 + 5?");
    await page.keyboard.press("Enter");
    await answered(page);
    await until(page, "document.activeElement?.id === 'prompt'");
    await page.keyboard.press("ArrowUp");
    await page.locator(".editor textarea").waitFor();
    await page.keyboard.press("Control+A");
    await page.keyboard.type("What is 2 + 2?");
    await page.keyboard.press("Control+Enter");
    await answered(page);
    expect(await lastAnswer(page)).toContain("4");
    await page.keyboard.press("Control+K");
    await until(page, "document.activeElement?.id === 'search'");
    await page.keyboard.type("2 + 2");
    await page.locator(".list .title").first().waitFor();
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.className")).toBe("title");
    await page.keyboard.press("Enter");
    // Answers are announced once, when they are whole.
    const said = await page.locator("#thread > [role=status]").textContent();
    expect(said).toMatch(/^Answer: /);
  });
});
