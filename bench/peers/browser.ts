/** Engines in pages of one headless Chromium: webgguf, and wllama on WebGPU or in WebAssembly. */
import { createReadStream, statSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { createServer } from "vite";
import { unpackChromium } from "../../scripts/unpack.mjs";
import type { Engine } from "./engine.ts";
import { installed } from "./install.ts";
import type { PageSettings } from "./page.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

export interface PeerBrowser {
  open(name: string, settings: PageSettings): Promise<Engine>;
  /** Milliseconds of CPU time of all the browser's processes so far. */
  cpuTime(): Promise<number>;
  close(): Promise<void>;
}

/**
 * `executable`: another Chromium than the packaged one, with `flags`: a GPU on Linux wants
 * `--enable-features=Vulkan --use-angle=vulkan`.
 */
export async function openPeerBrowser(
  model: string,
  executable: string | undefined,
  flags: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<PeerBrowser> {
  const server = await createServer({
    root,
    configFile: false,
    logLevel: "error",
    server: {
      host: "127.0.0.1",
      hmr: false,
      watch: null,
      // Threads of WebAssembly need an isolated page.
      headers: {
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Embedder-Policy": "require-corp",
      },
    },
    optimizeDeps: { noDiscovery: true },
    plugins: [
      {
        name: "model",
        configureServer({ middlewares }) {
          middlewares.use("/model.gguf", (_, response) => {
            response.setHeader("Content-Type", "application/octet-stream");
            response.setHeader("Content-Length", statSync(model).size);
            createReadStream(model).pipe(response);
          });
        },
      },
    ],
  });
  await server.listen();
  const unpacked = executable === undefined ? unpackChromium() : undefined;
  const program = executable ?? unpacked?.executable;
  const browser = await chromium.launch({
    ...(program && { executablePath: program }),
    args: ["--enable-unsafe-webgpu", ...flags],
    env: {
      ...process.env,
      ...(unpacked && { LD_LIBRARY_PATH: unpacked.libraries }),
      ...environment,
    } as Record<string, string>,
  });
  const inspector = await browser.newBrowserCDPSession();
  return {
    async cpuTime() {
      const { processInfo } = await inspector.send("SystemInfo.getProcessInfo");
      return processInfo.reduce((sum, { cpuTime }) => sum + 1000 * cpuTime, 0);
    },
    async open(name, settings): Promise<Engine> {
      if (settings.engine === "wllama" && !installed("@wllama/wllama"))
        throw new Error("not installed (--install)");
      const page = await browser.newPage();
      page.setDefaultTimeout(0);
      try {
        await page.goto(`${server.resolvedUrls?.local[0]}bench/peers/page.html`);
        await page.waitForFunction(() => "peerOpen" in globalThis, undefined, { timeout: 120_000 });
        await page.evaluate((given) => globalThis.peerOpen(given), settings);
      } catch (error) {
        await page.close();
        throw error;
      }
      return {
        name,
        async run(prompt, tokens) {
          // A page behind others is slowed down.
          await page.bringToFront();
          return page.evaluate(
            ([text, count]) => globalThis.peerRun(text as string, count as number),
            [prompt, tokens],
          );
        },
        ...(settings.gpu && { counts: () => page.evaluate(() => globalThis.peerCounts()) }),
        close: () => page.close(),
      };
    },
    async close() {
      await browser.close();
      await server.close();
    },
  };
}
