/** The conformance run in headless Chromium: a page of the repository served by Vite, driven from here. */
import { chromium } from "playwright-core";
import { createServer } from "vite";
import { unpackChromium } from "../../scripts/unpack.mjs";
import type { Readers, Row, Settings } from "./run.ts";

/** Serves the repository and the reference folders, runs the page, and yields its rows. */
export async function* inChromium(
  root: string,
  readers: Readers,
  settings: Settings,
  onProblem: (text: string) => void,
): AsyncGenerator<Row> {
  const server = await createServer({
    root,
    configFile: false,
    logLevel: "error",
    // An edit to a source file must not reload the page in the middle of a run.
    server: { host: "127.0.0.1", hmr: false, watch: null },
    plugins: [serving(readers)],
  });
  await server.listen();
  const unpacked = unpackChromium();
  const browser = await chromium.launch({
    ...(unpacked && { executablePath: unpacked.executable }),
    args: ["--enable-unsafe-webgpu"],
    env: { ...process.env, ...(unpacked && { LD_LIBRARY_PATH: unpacked.libraries }) } as Record<
      string,
      string
    >,
  });
  const rows: Row[] = [];
  let wake = (): void => {};
  try {
    const page = await browser.newPage();
    await page.exposeFunction("reportRow", (row: Row) => {
      rows.push(row);
      wake();
    });
    await page.exposeFunction("reportProblem", onProblem);
    const [address] = server.resolvedUrls?.local ?? [];
    await page.goto(`${address}test/conformance/page.html`);
    await page.waitForFunction(() => "runConformance" in globalThis);
    let ended = false;
    const run = page
      .evaluate(
        (given) =>
          (globalThis as unknown as { runConformance(s: Settings): Promise<void> }).runConformance(
            given,
          ),
        settings,
      )
      .finally(() => {
        ended = true;
        wake();
      });
    run.catch(() => {});
    while (!ended || rows.length > 0) {
      const row = rows.shift();
      if (row) yield { ...row, runtime: `chromium ${browser.version()}` };
      else if (!ended)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
    await run;
  } finally {
    await browser.close();
    await server.close();
  }
}

/** Answers /reference/… and /tiny-model/… from the readers, and the page itself. */
function serving(readers: Readers): import("vite").Plugin {
  return {
    name: "reference",
    configureServer(server) {
      for (const [prefix, read] of [
        ["/reference/", readers.reference],
        ["/tiny-model/", readers.tinyModel],
      ] as const)
        server.middlewares.use(prefix, (request, response) => {
          const name = decodeURIComponent((request.url ?? "/").slice(1));
          read(name).then(
            (bytes) => {
              response.setHeader("content-type", "application/octet-stream");
              response.end(bytes);
            },
            () => {
              response.statusCode = 404;
              response.end();
            },
          );
        });
    },
  };
}
