/**
 * npm run check:page: what the built page loads and what it lets pass. First load at most 300 KB gzipped in 12 requests,
 * all of one origin; a policy without exceptions; hostile Markdown, HTML, SVG and links that run and fetch nothing.
 */
import http from "node:http";
import type { AddressInfo } from "node:net";
import zlib from "node:zlib";
import { exported } from "../../cli/page/store/transfer.ts";
import { built } from "./built.ts";
import { hostile } from "./hostile.ts";

const MOST_BYTES = 300 * 1024;
const MOST_REQUESTS = 12;

const problems: string[] = [];
const check = (right: boolean, what: string): void => {
  console.log(`${right ? "ok" : "WRONG"}: ${what}`);
  if (!right) problems.push(what);
};

/** Any request that reaches it is one too many. */
const hits: string[] = [];
const trap = http.createServer((request, response) => {
  hits.push(request.url ?? "");
  response.setHeader("Access-Control-Allow-Origin", "*");
  response.end("trapped = 1");
});
await new Promise<void>((resolve) => trap.listen(0, "127.0.0.1", resolve));
const bait = `http://127.0.0.1:${(trap.address() as AddressInfo).port}`;

const all = await built();
try {
  const context = await all.browser.newContext();
  const page = await context.newPage();
  const loaded: { url: string; bytes: number }[] = [];
  page.on("response", async (response) => {
    const url = response.url();
    const body = await response.body().catch(() => Buffer.alloc(0));
    loaded.push({ url, bytes: zlib.gzipSync(body, { level: 9 }).length });
  });
  await page.goto(all.site.origin);
  await page.locator("#bundled").waitFor();
  await page.waitForTimeout(400);
  const first = [...loaded];
  // The engine's worker starts with the page; browsers do not tell of its requests.
  const script = first.find(({ url }) => /\/index-[^/]*\.js$/.test(url))!.url;
  const name = /SharedWorker\(new URL\(new URL\(`([^`]+)`/.exec(
    await (await fetch(script)).text(),
  )?.[1];
  if (name === undefined) throw new Error("The page starts no engine");
  const imports = await withImports(all.site.origin, new URL(name, script).pathname);
  const files = new Map(first.map(({ url, bytes }) => [new URL(url).pathname, bytes]));
  for (const { path, bytes } of imports) files.set(path, bytes);
  const bytes = [...files.values()].reduce((sum, one) => sum + one, 0);
  for (const [path, size] of files) console.log(`  ${path}: ${(size / 1024).toFixed(1)} KB`);
  check(bytes <= MOST_BYTES, `first load ${(bytes / 1024).toFixed(1)} KB gzipped of 300`);
  check(files.size <= MOST_REQUESTS, `first load ${files.size} requests of ${MOST_REQUESTS}`);
  check(
    first.every(({ url }) => url.startsWith(all.site.origin)),
    "all of one origin",
  );

  const policy = await page.getAttribute("meta[http-equiv=Content-Security-Policy]", "content");
  check(/default-src 'self'(;|$)/.test(policy ?? ""), "the policy has default-src 'self'");
  check(
    /require-trusted-types-for 'script'/.test(policy ?? ""),
    "the policy requires trusted types",
  );
  check(!/unsafe|\*|https?:|data:|blob:/.test(policy ?? ""), "the policy has no exception");

  const cases = hostile(bait);
  const messages = cases.map((content, i) => ({
    ...{ id: `m${i}`, conversation: "hostile", parent: i === 0 ? null : `m${i - 1}`, created: i },
    ...{ role: "assistant" as const, content, ended: "stop" as const },
  }));
  const head = {
    ...{ id: "hostile", title: "Hostile", created: 1, updated: 1, preset: "balanced" },
    leaf: `m${cases.length - 1}`,
  };
  await page.locator("#settings").click();
  await page.setInputFiles("#import", {
    name: "hostile.json",
    mimeType: "application/json",
    buffer: Buffer.from(JSON.stringify(exported([{ head, messages }]))),
  });
  await page.getByText("One conversation was imported.").waitFor();
  await page.keyboard.press("Escape");
  const foreign: string[] = [];
  page.on("request", (request) => {
    if (!request.url().startsWith(all.site.origin)) foreign.push(request.url());
  });
  page.on("dialog", (dialog) => {
    foreign.push(`dialog ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.locator(".list .title").click();
  for (let i = 0; i < 60; i++) {
    await page.locator("#thread").evaluate((box) => box.scrollTo(0, 0));
    await page.waitForTimeout(60);
    if ((await page.locator(".message").count()) === cases.length) break;
  }
  check(
    (await page.locator(".message").count()) === cases.length,
    `${cases.length} hostile texts are shown`,
  );
  await page.waitForTimeout(500);
  check((await page.evaluate("globalThis.trapped === undefined")) as boolean, "nothing ran");
  check(
    foreign.length === 0 && hits.length === 0,
    `nothing was fetched ${[...foreign, ...hits].join(" ")}`,
  );
  const elements = (await page.evaluate(
    "[...new Set([...document.querySelectorAll('.prose .block *')].map(({ localName }) => localName))].join(' ')",
  )) as string;
  check(
    !/\b(script|img|iframe|object|embed|svg|math|form|style|link|meta|base|video|audio|source|template|button)\b/.test(
      elements,
    ),
    `elements of answers: ${elements}`,
  );
  const attributes = (await page.evaluate(
    `[...document.querySelectorAll('.prose .block *')].flatMap((one) => one.getAttributeNames()
      .filter((name) => /^on|^style$|^src|^id$|^name$/.test(name)).map((name) => one.localName + " " + name)).join()`,
  )) as string;
  check(attributes === "", `no attribute that acts ${attributes}`);
  const links = (await page.evaluate(
    "[...document.querySelectorAll('.prose a[href]')].map((one) => one.protocol).filter((one) => !/^(https?|mailto):$/.test(one)).join()",
  )) as string;
  check(links === "", `links lead to servers alone ${links}`);
} finally {
  await all.close();
  trap.close();
}
console.log(problems.length === 0 ? "The page is as it should be." : `${problems.length} wrong`);
process.exitCode = problems.length === 0 ? 0 : 1;

/** A module and what it imports when it starts. */
async function withImports(
  origin: string,
  path: string,
): Promise<{ path: string; bytes: number }[]> {
  const found = new Map<string, number>();
  const visit = async (one: string): Promise<void> => {
    if (found.has(one)) return;
    const text = await (await fetch(origin + one)).text();
    found.set(one, zlib.gzipSync(text, { level: 9 }).length);
    for (const [, name] of text.matchAll(/(?:import|from)\s*["'`](\.\/[^"'`]+)["'`]/g))
      await visit(new URL(name, origin + one).pathname);
  };
  await visit(path);
  return [...found].map(([one, bytes]) => ({ path: one, bytes }));
}
