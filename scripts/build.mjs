/** Builds what the package ships: JavaScript and declarations in dist/, which is a package of its own kind. */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { root } from "./unpack.mjs";

const dist = path.join(root, "dist");
fs.rmSync(dist, { recursive: true, force: true });

const tsc = path.join(root, "node_modules/typescript/bin/tsc");
const { status } = spawnSync(process.execPath, [tsc, "-p", "tsconfig.build.json"], {
  cwd: root,
  stdio: "inherit",
});
if (status !== 0) process.exit(status ?? 1);

// The root's package.json maps #platform to the sources; built files find this one first.
const { imports } = JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8"));
const built = JSON.stringify({ type: "module", sideEffects: false, imports }, null, 2);
fs.writeFileSync(path.join(dist, "package.json"), `${built.replaceAll('.ts"', '.js"')}\n`);

// Compilers leave an address that is no import as it is.
const remote = path.join(dist, "src/bytes/store/remote.js");
const source = fs.readFileSync(remote, "utf8");
const address = 'new URL("./worker.ts", import.meta.url)';
if (!source.includes(address)) throw new Error(`${remote} does not start the store's worker`);
fs.writeFileSync(remote, source.replace(address, address.replace(".ts", ".js")));

// What threads load is JavaScript already.
const threads = "src/cpu/wasm/threads";
for (const name of ["work.mjs", "work.d.mts", "helper.mjs"])
  fs.copyFileSync(path.join(root, threads, name), path.join(dist, threads, name));

const main = path.join(dist, "cli/main.js");
if (fs.existsSync(main)) fs.chmodSync(main, 0o755);
