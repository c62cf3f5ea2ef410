/** The built page on a server of this machine, and ways through it. Node only. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Browser, Page } from "playwright-core";
import { build } from "vite";
import { root } from "../../scripts/unpack.mjs";
import { openBrowser, type Site, serve } from "../browser/site.ts";

export interface Built {
  readonly folder: string;
  readonly site: Site;
  readonly browser: Browser;
  close(): Promise<void>;
}

/** Builds the page, serves it, and starts the browser. */
export async function built(): Promise<Built> {
  const folder = mkdtempSync(path.join(tmpdir(), "webgguf-page-"));
  await build({
    configFile: path.join(root, "cli/page/vite.config.ts"),
    logLevel: "error",
    build: { outDir: folder, emptyOutDir: true },
  });
  const site = await serve(folder);
  const browser = await openBrowser();
  return {
    folder,
    site,
    browser,
    async close() {
      await browser.close();
      site.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What a page asked for and complained of. */
export interface Watched {
  readonly requests: string[];
  readonly complaints: string[];
}

export function watch(page: Page): Watched {
  const watched: Watched = { requests: [], complaints: [] };
  page.on("request", (request) => watched.requests.push(request.url()));
  page.on("pageerror", (error) => watched.complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") watched.complaints.push(message.text());
  });
  return watched;
}

const SOON = { timeout: 60_000 };

/** Loads the model that comes with the page. */
export async function loadBundled(page: Page): Promise<void> {
  await page.locator("#bundled").click();
  await ready(page);
}

export async function ready(page: Page): Promise<void> {
  await page.locator("#device .dot.ready").waitFor(SOON);
}

/** Writes a question, sends it and waits until it is answered. */
export async function ask(page: Page, question: string): Promise<void> {
  await page.locator("#prompt").fill(question);
  await page.locator("#send").click();
  await answered(page);
}

/** Waits until nothing is answered any more. */
export async function answered(page: Page): Promise<void> {
  await page.locator(".answer .figures").last().waitFor(SOON);
  await page.locator("#send").waitFor(SOON);
}

/** Waits until an expression is true in the page, whose policy forbids what the browser's driver does for that. */
export async function until(page: Page, expression: string): Promise<void> {
  const end = Date.now() + SOON.timeout;
  while (!(await page.evaluate(`Boolean(${expression})`))) {
    if (Date.now() > end) throw new Error(`It did not come to be: ${expression}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The text of the last answer. */
export async function lastAnswer(page: Page): Promise<string> {
  return (await page.locator(".answer .prose").last().textContent()) ?? "";
}

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly dur?: number;
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

/**
 * Milliseconds of the tasks of pages' main threads over 50 ms while `work` goes on. What counts is the processor's time:
 * on a busy machine any task takes long.
 */
export async function longTasks(page: Page, work: () => Promise<void>): Promise<number[]> {
  const browser = page.context().browser()!;
  await browser.startTracing(page, { categories: ["toplevel"] });
  await work();
  const trace = JSON.parse((await browser.stopTracing()).toString("utf8")) as {
    traceEvents: TraceEvent[];
  };
  const thread = ({ pid, tid }: TraceEvent): string => `${pid} ${tid}`;
  const main = new Set(
    trace.traceEvents
      .filter(({ name, args }) => name === "thread_name" && args?.name === "CrRendererMain")
      .map(thread),
  );
  const tasks = trace.traceEvents.filter(
    (event) => event.ph === "X" && event.name.endsWith("RunTask") && main.has(thread(event)),
  );
  if (tasks.length === 0) throw new Error("The trace holds no tasks");
  return tasks
    .map(({ dur = 0, tdur = dur }) => Math.round(tdur / 1000))
    .filter((milliseconds) => milliseconds > 50);
}

/** Sets the numbers of the preset that is in use. */
export async function preset(page: Page, values: Readonly<Record<string, string>>): Promise<void> {
  await page.locator("#settings").click();
  for (const [label, value] of Object.entries(values)) {
    const field = page.locator("dialog").getByLabel(label);
    await field.fill(value);
    await field.blur();
  }
  await page.keyboard.press("Escape");
  // Until it is gone, it takes the focus back.
  await page.locator("dialog[open]").waitFor({ state: "hidden" });
}
