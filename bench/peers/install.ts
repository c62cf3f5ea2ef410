/** Puts the other engines below bench/peers/node_modules, when asked. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

export const folder: string = fileURLToPath(new URL(".", import.meta.url));

const { dependencies } = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8")) as {
  dependencies: Record<string, string>;
};

export const installed = (name: string): boolean =>
  existsSync(path.join(folder, "node_modules", name, "package.json"));

/** node-llama-cpp's compiled llama.cpp for this machine; all of its packages together are 700 MB. */
function binaries(gpu: string | undefined): string[] {
  const system = { linux: "linux", darwin: "mac", win32: "win" }[process.platform as string];
  if (system === undefined) return [];
  const kind = system === "mac" && process.arch === "arm64" ? "-metal" : gpu ? `-${gpu}` : "";
  return [`@node-llama-cpp/${system}-${process.arch}${kind}@${dependencies["node-llama-cpp"]}`];
}

/** `gpus`: "vulkan", "cuda", whose binaries are fetched besides those for the CPU. */
export function install(gpus: readonly string[]): void {
  const names = Object.entries(dependencies).map(([name, version]) => `${name}@${version}`);
  const builds = [undefined, ...gpus].flatMap(binaries);
  const args = ["install", "--no-save", "--ignore-scripts", "--omit=optional", "--no-audit"];
  const { status } = spawnSync("npm", [...args, "--no-fund", ...names, ...new Set(builds)], {
    cwd: folder,
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (status !== 0) throw new Error("the other engines could not be installed");
}
