/** `fetch("/v1/…")` in the page: the official client of OpenAI against the engine, through the service worker. */
import path from "node:path";
import type { BrowserContext, Page } from "playwright-core";
import { build, type Rollup } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root, toolsFit } from "../../scripts/unpack.mjs";
import { type Built, built, loadBundled, ready, until } from "./built.ts";

/** The client as one script. */
async function clientScript(): Promise<string> {
  const result = (await build({
    configFile: false,
    root,
    logLevel: "error",
    build: {
      write: false,
      lib: {
        entry: path.join(root, "test/page/openai-client.ts"),
        formats: ["iife"],
        name: "client",
      },
    },
  })) as Rollup.RollupOutput[] | Rollup.RollupOutput;
  const [output] = [result].flat();
  return output.output[0].code;
}

describe.skipIf(!toolsFit())("the API in the page", () => {
  let all: Built;
  let context: BrowserContext;
  let page: Page;
  let script: string;
  beforeAll(async () => {
    script = await clientScript();
    all = await built();
    context = await all.browser.newContext();
    page = await opened();
    await loadBundled(page);
  });
  afterAll(() => all?.close());

  async function opened(): Promise<Page> {
    const tab = await context.newPage();
    await tab.goto(all.site.origin);
    await until(tab, "navigator.serviceWorker.controller !== null");
    await tab.evaluate(script);
    await tab.evaluate(`globalThis.client = new OpenAI({
      baseURL: new URL("/v1", location.href).href, apiKey: "none", dangerouslyAllowBrowser: true, maxRetries: 0,
    })`);
    return tab;
  }

  const question = `messages: [{ role: "user", content: "What is 7 + 5?" }], temperature: 0, model: "any"`;
  const streamed = (tab: Page): Promise<string> =>
    tab.evaluate(`(async () => {
      const stream = await client.chat.completions.create({ ${question}, stream: true });
      let text = "";
      for await (const { choices } of stream) text += choices[0]?.delta?.content ?? "";
      return text;
    })()`) as Promise<string>;

  it("lists the model, answers whole, and streams the same text", async () => {
    const whole = await page.evaluate(`(async () => {
      const models = await client.models.list();
      const answer = await client.chat.completions.create({ ${question} });
      return [models.data[0].id, answer.choices[0].message.content];
    })()`);
    expect(whole).toEqual(["Demonstration model", "7 + 5 = 12."]);
    expect(await streamed(page)).toBe("7 + 5 = 12.");
  });

  it("streams to two tabs at once", async () => {
    const other = await opened();
    await ready(other);
    expect(await Promise.all([streamed(page), streamed(other)])).toEqual([
      "7 + 5 = 12.",
      "7 + 5 = 12.",
    ]);
    await other.close();
  });

  it("holds an answer to a schema", async () => {
    const text = await page.evaluate(`client.chat.completions.create({ ${question},
      response_format: { type: "json_schema", json_schema: { name: "sum", strict: true, schema: {
        type: "object", properties: { sum: { enum: [11, 12] } }, required: ["sum"], additionalProperties: false,
      } } },
    }).then(({ choices }) => choices[0].message.content)`);
    expect([11, 12]).toContain(JSON.parse(text as string).sum);
  });

  it("answers the next one when a client has left", async () => {
    const answered = (await page.evaluate(`(async () => {
      const stop = new AbortController();
      const stream = await client.chat.completions.create(
        { messages: [{ role: "user", content: "Tell me a story." }], model: "any", stream: true, ignore_eos: true },
        { signal: stop.signal },
      );
      for await (const _ of stream) break;
      stop.abort();
      const answer = await client.chat.completions.create({ ${question} });
      return answer.choices[0].message.content;
    })()`)) as string;
    expect(answered).toBe("7 + 5 = 12.");
  });

  it("gives errors in OpenAI's form", async () => {
    const wrong =
      (await page.evaluate(`client.chat.completions.create({ model: "any", messages: [] })
      .then(() => "none", (error) => [error.status, error.message])`)) as [number, string];
    expect(wrong[0]).toBe(400);
    expect(await page.evaluate(`fetch("/v1/nothing").then(({ status }) => status)`)).toBe(404);
  });

  it("says what to do where no model is open", async () => {
    const tab = await context.newPage();
    await tab.goto(all.site.origin);
    await ready(tab);
    await tab.locator("#models").click();
    await tab.getByText("Unload").click();
    await tab.locator("#device").waitFor({ state: "detached" });
    const said = await tab.evaluate(`fetch("/v1/chat/completions", {
      method: "POST", headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ ${question} }),
    }).then(async (response) => [response.status, await response.text()])`);
    expect(said).toEqual([503, expect.stringContaining("load one in a tab")]);
  });
});
