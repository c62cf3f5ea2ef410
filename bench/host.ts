/**
 * npm run bench:host [-- --json] [-- --only node,deno,chromium]: the host's part of a decode step of an 8B-shaped plan against the
 * bare cost of the same calls, in Node (without a driver too), Deno and headless Chromium (with nothing
 * for the adapter to do too), and what a step leaves to the garbage collector in Node. See host/measure.ts for what is compared.
 */
import { spawnSync } from "node:child_process";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { createServer } from "vite";
import { unpackChromium } from "../scripts/unpack.mjs";
import type { HeapReport } from "./host/heap.ts";
import type { HostReport } from "./host/measure.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const program = path.join(root, "bench/host/run.ts");

function child<T>(command: string, args: readonly string[]): T | undefined {
  const { stdout, stderr, status } = spawnSync(command, args, { cwd: root, encoding: "utf8" });
  if (status === 0) return JSON.parse(stdout) as T;
  console.error(`${command}: NOT RUN (${stderr.trim().split("\n").at(-1) ?? "it did not start"})`);
  return undefined;
}

const inNode = <T>(...flags: string[]): T | undefined => {
  const [own, rest] = [false, true].map((ours) =>
    flags.filter((flag) => ["--heap", "--null"].includes(flag) === ours),
  );
  return child<T>(process.execPath, ["--import", "tsx", ...own, program, ...rest]);
};

const inDeno = (): HostReport | undefined =>
  child<HostReport>(process.execPath, [
    path.join(root, "node_modules/deno/bin.cjs"),
    ...["run", "-A", "--no-check", "--quiet", "--node-modules-dir=manual", program],
  ]);

async function inChromium(): Promise<HostReport[]> {
  const server = await createServer({
    root,
    configFile: false,
    logLevel: "error",
    server: {
      host: "127.0.0.1",
      hmr: false,
      watch: null,
      // Isolated pages have a clock of 5 µs instead of 100.
      headers: {
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Embedder-Policy": "require-corp",
      },
    },
  });
  const unpacked = unpackChromium();
  const env = { ...process.env, ...(unpacked && { LD_LIBRARY_PATH: unpacked.libraries }) };
  try {
    await server.listen();
    const browser = await chromium.launch({
      ...(unpacked && { executablePath: unpacked.executable }),
      args: ["--enable-unsafe-webgpu"],
      env: env as Record<string, string>,
    });
    try {
      const page = await browser.newPage();
      await page.goto(`${server.resolvedUrls?.local[0]}bench/host/page.html`);
      await page.waitForFunction(() => "measureHostCost" in globalThis);
      const reports: HostReport[] = [];
      for (const idle of [true, false])
        reports.push(await page.evaluate((given) => globalThis.measureHostCost(given), idle));
      return reports;
    } finally {
      await browser.close();
    }
  } catch (error) {
    console.error(`Chromium: NOT RUN (${String(error).split("\n", 1)[0]})`);
    return [];
  } finally {
    await server.close();
  }
}

const loadBefore = os.loadavg()[0];
const [, only] = /--only[= ]([\w,]+)/.exec(process.argv.join(" ")) ?? [];
const wanted = (name: string): boolean => only === undefined || only.split(",").includes(name);
const hosts = [
  wanted("node") ? inNode<HostReport>("--null") : undefined,
  wanted("node") ? inNode<HostReport>() : undefined,
  wanted("deno") ? inDeno() : undefined,
  ...(wanted("chromium") ? await inChromium() : []),
].filter((one) => one !== undefined);
const heap = !wanted("node") ? undefined : inNode<HeapReport>("--expose-gc", "--heap", "--null");
const load = [loadBefore, os.loadavg()[0]];
if (process.argv.includes("--json")) console.log(JSON.stringify({ load, hosts, heap }));
else {
  console.log(`load average ${load.map((one) => one.toFixed(1)).join(" → ")}`);
  console.table(
    hosts.map(({ runtime, adapter, dispatches, encode, submit }) => ({
      ...{ runtime, adapter, dispatches },
      "step µs": Math.round(encode.step),
      "bare µs": Math.round(encode.bare),
      ratio: Number(encode.ratio.toFixed(2)),
      "with submit µs": Math.round(submit.step),
      "bare with submit µs": Math.round(submit.bare),
      "ratio with submit": Number(submit.ratio.toFixed(2)),
    })),
  );
  if (heap)
    console.log(
      `garbage of a step: ${Math.round(heap.step)} bytes, of the bare calls ${Math.round(heap.bare)}; ` +
        `${heap.collections} collections in ${heap.steps} steps`,
    );
}
process.exit();
