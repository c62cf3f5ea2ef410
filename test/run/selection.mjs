/**
 * Which test files run where. `npm test` runs all in Node, without sweeps, and in the other runtimes those that
 * a runtime can decide; `rest` is what `npm run test:all` adds.
 */
import fs from "node:fs";
import path from "node:path";
import { root } from "../../scripts/unpack.mjs";

/**
 * Files (or the beginnings of their names) that mostly compile shaders, and run outside Node in `test:all` alone.
 * Chromium has the compiler of Node, so more of them are left out there.
 */
const sweeps = {
  deno: [
    ...["kernels/int8", "kernels/linear.", "kernels/moe", "kernels/mutants", "kernels/quants"],
    ...["gpu/append", "gpu/sampling", "gpu/counters", "plan/random-graphs", "plan/routing"],
    ...["kernels/attention", "gpu/state", "session/lifetime", "session/speculate"],
    ...["session/sampling", "models/build", "models/given", "executor/gpu"],
    ...["plan/int8", "plan/moe", "gpu/profile", "gpu/draw-steps", "gpu/slices", "gpu/batch"],
    ...["tools/bench.test", "gpu/dispose"],
  ].map((name) => `test/${name}`),
  chromium: [
    ...["kernels/state", "kernels/sample", "session/lifecycle"],
    // Text and numbers alone: Chromium has Node's JavaScript engine.
    ...["chat/", "file/", "fuzz/", "gguf/", "graph/", "jinja/", "sample/", "tokenizer/"],
    ...["grammar/", "server/"],
  ].map((name) => `test/${name}`),
};

/** The beginnings of names that a runtime leaves to `test:all`. */
export const leftOut = {
  node: [],
  deno: sweeps.deno,
  chromium: [...sweeps.deno, ...sweeps.chromium],
};

const isSlow = (name) => name.includes(".slow.");

const names = fs
  .readdirSync(path.join(root, "test"), { recursive: true })
  .map((name) => `test/${name.replaceAll(path.sep, "/")}`)
  .filter((name) => name.endsWith(".test.ts"))
  .sort();

/** Test files of a runtime. */
function all(runtime) {
  const others = { node: "deno|browser", deno: "node|browser", chromium: "node|deno" }[runtime];
  const foreign = new RegExp(`\\.(${others})\\.test\\.ts$`);
  return names.filter((name) => !foreign.test(name));
}

/**
 * The test files of a runtime.
 * @param part `first` (npm test), `rest` (what test:all adds), or `all`
 * @param wanted parts of names; when there are any, `part` does not matter
 */
export function selection(runtime, part, wanted = []) {
  if (wanted.length > 0) {
    return all(runtime).filter(
      (name) =>
        wanted.some((one) => name.includes(one)) &&
        // Deno compiles every shader anew, and the page has Node's compiler: sweeps only when they are named.
        (runtime === "node" ||
          !isSlow(name) ||
          (runtime === "deno" && wanted.some((one) => isSlow(one) || one.endsWith(".slow")))),
    );
  }
  const later = (name) => isSlow(name) || leftOut[runtime].some((one) => name.startsWith(one));
  return all(runtime)
    .filter((name) => runtime === "node" || !isSlow(name))
    .filter((name) => part === "all" || later(name) === (part === "rest"));
}
