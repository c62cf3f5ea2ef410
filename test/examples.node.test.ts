/** Every program of examples/ does what its README says, with the package's names standing for this clone. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Browser } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type MetadataValue, openSource, readGguf } from "../mod.ts";
import { toolsFit } from "../scripts/unpack.mjs";
import { writeGguf } from "../src/gguf/write.ts";
import { openBrowser, type Site, serve } from "./browser/site.ts";
import { root } from "./checks/sources.ts";
import { denoCommand, denoThere } from "./run/deno.mjs";

const model = path.join(root, "models/webgguf-tale-q8_0.gguf");
const folder = mkdtempSync(path.join(tmpdir(), "webgguf-examples-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const node = (example: string): string[] => ["--import", "tsx", `examples/${example}/main.ts`];

describe("examples/README.md", () => {
  it("names every example", () => {
    const text = readFileSync(path.join(root, "examples/README.md"), "utf8");
    const folders = readdirSync(path.join(root, "examples"), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
    expect(folders.filter((name) => !text.includes(`[${name}](${name}/`))).toEqual([]);
  });
});

describe("examples/chat", () => {
  const runtimes: [string, string[]][] = [[process.execPath, node("chat")]];
  if (denoThere())
    runtimes.push([
      denoCommand[0]!,
      [denoCommand[1]!, "run", "--allow-read", "--quiet", "examples/chat/main.ts"],
    ]);
  it.each(runtimes)("answers each line (%s %s)", (program, args) => {
    const { stdout, stderr, status } = spawnSync(program, [...args, model], {
      cwd: root,
      encoding: "utf8",
      input: "What is 7 + 5?\nTell me a story.\n",
    });
    expect(stdout, stderr).toMatch(/^> .*\w\w[\s\S]*\n> .*\w\w[\s\S]*\n> $/);
    expect(status).toBe(0);
  });

  it("is at most 60 lines", () => {
    const lines = readFileSync(path.join(root, "examples/chat/main.ts"), "utf8").split("\n");
    expect(lines.length).toBeLessThanOrEqual(60);
  });
});

describe("examples/service", () => {
  let service: ChildProcess;
  let url = "";
  beforeAll(async () => {
    service = spawn(process.execPath, [...node("service"), model, "0"], { cwd: root });
    url = await new Promise((resolve, reject) => {
      let said = "";
      service.stdout!.on("data", (data) => {
        said += data;
        const found = /http:\S+/.exec(said);
        if (found) resolve(found[0]);
      });
      service.on("exit", () => reject(new Error(`The service ended: ${said}`)));
    });
  });
  afterAll(() => service.kill("SIGKILL"));

  const ask = (body: string): Promise<Response> => fetch(url, { method: "POST", body });
  const question = (content: string): string =>
    JSON.stringify({ messages: [{ role: "user", content }] });

  it("streams answers to several clients at once", async () => {
    const texts = await Promise.all(
      ["What is 7 + 5?", "What is 2 + 2?"].map(async (content) => {
        const response = await ask(question(content));
        expect(response.headers.get("content-type")).toBe("text/event-stream");
        return response.text();
      }),
    );
    for (const text of texts) expect(text).toMatch(/^(data: ".*"\n\n)+data: \[DONE\]\n\n$/);
  });

  it.each(["no JSON", "{}"])("refuses %s", async (body) => {
    const response = await ask(body);
    expect(response.status).toBe(400);
    expect(await response.text()).toMatch(/\w+/);
  });

  it("goes on when a client leaves, and ends when it is told to", async () => {
    const gone = new AbortController();
    const options = { method: "POST", body: question("Tell me a story."), signal: gone.signal };
    const { body } = await fetch(url, options);
    await body!.getReader().read();
    gone.abort();
    expect((await ask(question("What is 7 + 5?"))).status).toBe(200);
    const ended = new Promise((resolve) => service.on("exit", resolve));
    service.kill("SIGTERM");
    expect(await ended).toBe(0);
  });
});

describe("examples/embeddings", () => {
  /** The bundled model as an embedding model: the same tensors, pooled by their mean. */
  async function embeddingModel(): Promise<string> {
    const source = await openSource(model);
    const { metadata, tensors } = await readGguf(source);
    const architecture = metadata.string("general.architecture");
    const pairs = [...metadata].map(([key, value]): [string, MetadataValue] => [
      key.replace(`${architecture}.`, "llama-embed."),
      value === architecture ? "llama-embed" : value,
    ]);
    const contents = await Promise.all(
      [...tensors.values()].map(async ({ name, type, shape, offset, bytes }) => {
        return { name, type, shape, data: await source.read(offset, bytes) };
      }),
    );
    const parts: Uint8Array[] = [];
    await writeGguf((bytes) => void parts.push(bytes.slice()), {
      metadata: [...pairs, ["llama-embed.pooling_type", 1]],
      tensors: contents,
    });
    await source.close();
    const file = path.join(folder, "embedding.gguf");
    writeFileSync(file, Buffer.concat(parts));
    return file;
  }

  it("puts the text that is the question first", async () => {
    const texts = ["The fox lost a hat.", "What is 7 + 5?", "A bird sang."];
    const args = [...node("embeddings"), await embeddingModel(), "What is 7 + 5?", ...texts];
    const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
    const lines = stdout.trim().split("\n");
    expect(lines.length, stderr).toBe(3);
    expect(lines[0]).toMatch(/^1\.0000 {2}What is 7 \+ 5\?$/);
  });
});

describe.skipIf(!toolsFit())("examples/page", () => {
  let site: Site;
  let browser: Browser;
  beforeAll(async () => {
    const example = path.join(root, "examples/page");
    const out = path.join(folder, "page");
    await build({
      root: example,
      configFile: path.join(example, "vite.config.ts"),
      logLevel: "error",
      build: { outDir: out, emptyOutDir: true },
    });
    site = await serve(out);
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    site?.close();
  });

  it("answers with a file that the user chose", async () => {
    const page = await browser.newPage();
    await page.goto(site.origin);
    await page.setInputFiles("#file", model);
    await page.locator("#state", { hasText: / on / }).waitFor({ timeout: 120_000 });
    await page.fill("#prompt", "What is 7 + 5?");
    await page.click("#ask button");
    await page.locator("#ask button:enabled").waitFor({ timeout: 120_000 });
    expect(await page.textContent("#answer")).toMatch(/> What is 7 \+ 5\?\n.*\w/);
    expect(await page.textContent("#state")).toContain(" on ");
    await page.close();
  });
});
