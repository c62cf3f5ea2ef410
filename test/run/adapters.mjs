/** Which runtimes this machine can test, and on which adapter. */
import { spawnSync } from "node:child_process";
import http from "node:http";
import { chromium } from "playwright-core";
import { root, unpackChromium } from "../../scripts/unpack.mjs";
import { vulkanEnvironment } from "../../scripts/vulkan.mjs";
import { denoCommand, denoThere } from "./deno.mjs";

/** Runs a program that prints a line; undefined when it does not start or fails. */
function line(command, args) {
  const options = { cwd: root, env: vulkanEnvironment(), encoding: "utf8", timeout: 60_000 };
  const { status, stdout } = spawnSync(command, args, options);
  return status === 0 ? stdout.trim() : undefined;
}

const script = "test/run/adapter.ts";

function node() {
  const adapter = line(process.execPath, ["--import", "tsx", script]);
  return { version: `Node ${process.versions.node}`, adapter };
}

function deno() {
  if (!denoThere()) return undefined;
  const [program, ...args] = denoCommand;
  const version = line(program, [...args, "--version"])
    ?.split(" ")
    .slice(0, 2)
    .join(" ");
  if (version === undefined) return undefined;
  const options = ["run", "-A", "--no-check", "--quiet", "--node-modules-dir=manual"];
  const adapter = line(program, [...args, ...options, script]);
  return { version: `D${version.slice(1)}`, adapter };
}

/** Chromium, asked in the page of a server of our own: WebGPU wants a secure context. */
async function browser() {
  const unpacked = unpackChromium();
  if (unpacked === undefined) return undefined;
  const server = http.createServer((_, response) => response.end("<!doctype html>"));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  let program;
  try {
    program = await chromium.launch({
      executablePath: unpacked.executable,
      args: ["--enable-unsafe-webgpu"],
      env: { ...process.env, LD_LIBRARY_PATH: unpacked.libraries },
    });
    const page = await program.newPage();
    await page.goto(`http://127.0.0.1:${server.address().port}/`);
    const adapter = await page.evaluate(async () => {
      const found = await navigator.gpu?.requestAdapter();
      if (!found) return "no adapter, GPU tests are skipped";
      const { vendor, architecture, isFallbackAdapter } = found.info;
      return [
        `${vendor} ${architecture}${isFallbackAdapter ? " (software)" : ""}`,
        found.features.has("shader-f16") ? "f16" : "no f16",
        found.features.has("subgroups") ? "subgroups" : "no subgroups",
      ].join(", ");
    });
    return { version: `Chromium ${program.version()}`, adapter };
  } catch (error) {
    return { version: "Chromium", adapter: undefined, problem: String(error).split("\n", 1)[0] };
  } finally {
    await program?.close();
    server.close();
  }
}

/**
 * `{ node, deno, chromium }`, each with `version` and `adapter` (undefined when it failed to say),
 * or undefined where the runtime is not on this machine.
 */
export async function runtimes(names) {
  const ask = { node, deno, chromium: browser };
  const found = {};
  for (const name of names) found[name] = await ask[name]();
  return found;
}
