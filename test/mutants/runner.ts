/** Puts faults into a copy of a tree, one at a time, and runs the tests that must notice them. */
import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import type { Mutant } from "./mutant.ts";

/** `broken`: the fault no longer fits the tree, or names no test; no test was run. */
export type Outcome = "noticed" | "not noticed" | "explained" | "broken";

export interface Result {
  readonly mutant: Mutant;
  readonly outcome: Outcome;
  /** What to add to the outcome: how it was noticed, why it is harmless, what is broken. */
  readonly note?: string;
  readonly seconds: number;
}

/** The share of the faults that are not explained that must be noticed. */
export const enough = 0.9;

export function sums(results: readonly Result[]): { readonly line: string; readonly ok: boolean } {
  const count = (outcome: Outcome): number =>
    results.filter((result) => result.outcome === outcome).length;
  const [noticed, explained, broken] = [count("noticed"), count("explained"), count("broken")];
  const missed = count("not noticed") + broken;
  return {
    line: `${results.length} mutants: ${noticed} noticed, ${missed} not noticed, ${explained} explained`,
    ok: broken === 0 && noticed + missed > 0 && noticed >= enough * (noticed + missed),
  };
}

/** Test files of Node below `root`, from there, without sweeps. */
function testFiles(root: string): string[] {
  return fs
    .readdirSync(path.join(root, "test"), { recursive: true, encoding: "utf8" })
    .map((name) => `test/${name.replaceAll(path.sep, "/")}`)
    .filter((name) => /\.test\.ts$/.test(name) && !/\.(slow|deno|browser)\./.test(name))
    .sort();
}

/** The beginning of the names of the tests beside a file: those of the nearest folder that has any. */
function mirrored(file: string, tests: readonly string[]): string[] {
  const of = path.posix.dirname(file).replace(/^src(?=\/|$)/, "test");
  let folder = /^test(\/|$)/.test(of) ? of : `test/${of}`;
  if (of === "wgsl" || of.startsWith("wgsl/")) folder = "test/kernels";
  while (folder !== "test" && !tests.some((test) => test.startsWith(`${folder}/`))) {
    folder = path.posix.dirname(folder);
  }
  return folder === "test" ? [] : [`${folder}/`];
}

/** The test files that must notice a fault. */
function testsOf(mutant: Mutant, tests: readonly string[]): string[] {
  const beginnings = mutant.tests ?? mirrored(mutant.file, tests);
  return tests.filter((test) => beginnings.some((beginning) => test.startsWith(beginning)));
}

/** Why a fault cannot be put into the tree; undefined when it can. */
function whatIsBroken(root: string, mutant: Mutant, tests: readonly string[]): string | undefined {
  const file = path.join(root, mutant.file);
  if (!fs.existsSync(file)) return "there is no such file";
  const times = fs.readFileSync(file, "utf8").split(mutant.from).length - 1;
  if (times !== 1) return `its text occurs ${times} times, not once`;
  if (mutant.from === mutant.to) return "it changes nothing";
  for (const beginning of mutant.tests ?? []) {
    if (!tests.some((test) => test.startsWith(beginning))) return `no test is named ${beginning}…`;
  }
  if (testsOf(mutant, tests).length === 0) return "no test folder mirrors its folder";
  return undefined;
}

const running = new Set<() => void>();

/** Ends all test processes that are still running. */
export function stop(): void {
  for (const end of running) end();
}

/** Runs a program in a process group of its own; `code` is undefined when it ran past the limit. */
function run(
  folder: string,
  args: readonly string[],
  limitMs: number,
): Promise<{ code?: number; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, {
      cwd: folder,
      // A run inside a test of this runner must not take that one's settings.
      env: Object.fromEntries(
        Object.entries(process.env).filter(([name]) => !/^(VITEST|NODE_OPTIONS)/.test(name)),
      ),
      stdio: ["ignore", "pipe", "pipe"],
      detached: process.platform !== "win32",
    });
    let output = "";
    let late = false;
    child.stdout.on("data", (data) => (output += data));
    child.stderr.on("data", (data) => (output += data));
    const end = (): void => {
      // The test's own process is a child of this one: the whole group must go.
      try {
        process.kill(process.platform === "win32" ? child.pid! : -child.pid!, "SIGKILL");
      } catch {
        // It has ended meanwhile.
      }
    };
    running.add(end);
    const timer = setTimeout(() => {
      late = true;
      end();
    }, limitMs);
    child.on("close", (code) => {
      clearTimeout(timer);
      running.delete(end);
      resolve(late ? { output } : { code: code ?? 1, output });
    });
  });
}

const vitest = (tests: readonly string[], more: readonly string[]): string[] => [
  ...["node_modules/vitest/vitest.mjs", "run", "--project", "node", "--reporter=default"],
  ...more,
  ...tests,
];

/** A copy of a tree in `into`, with the same installed packages. */
function copy(root: string, into: string): string {
  const left = new Set([".git", ".cache", "node_modules", "dist"]);
  fs.cpSync(root, into, {
    recursive: true,
    filter: (from) => !left.has(path.relative(root, from).split(path.sep)[0]!),
  });
  fs.symlinkSync(fs.realpathSync(path.join(root, "node_modules")), `${into}/node_modules`, "dir");
  return into;
}

/** Puts one fault into a copy, runs its tests, and takes it out again. */
async function tryOne(
  folder: string,
  mutant: Mutant,
  tests: readonly string[],
  limitMs: number,
): Promise<Omit<Result, "seconds">> {
  const file = path.join(folder, mutant.file);
  const text = fs.readFileSync(file, "utf8");
  const shaders = path.join(folder, "wgsl/mod.ts");
  const generated = mutant.file.endsWith(".wgsl") ? fs.readFileSync(shaders, "utf8") : undefined;
  try {
    fs.writeFileSync(
      file,
      text.replace(mutant.from, () => mutant.to),
    );
    if (generated !== undefined) {
      const { code } = await run(folder, ["--import", "tsx", "scripts/wgsl.ts"], limitMs);
      if (code !== 0) return { mutant, outcome: "noticed", note: "wgsl/mod.ts cannot be made" };
      if (fs.readFileSync(shaders, "utf8") === generated) {
        return { mutant, outcome: "broken", note: "it changes nothing in wgsl/mod.ts" };
      }
    }
    const args = vitest(tests, ["--bail=1", "--no-file-parallelism"]);
    const { code, output } = await run(folder, args, limitMs);
    if (/\[?PARSE_ERROR|Transform failed/.test(output)) {
      return { mutant, outcome: "broken", note: "the file with it is no TypeScript" };
    }
    if (code === undefined) return { mutant, outcome: "noticed", note: "the tests did not end" };
    return { mutant, outcome: code === 0 ? "not noticed" : "noticed" };
  } finally {
    fs.writeFileSync(file, text);
    if (generated !== undefined) fs.writeFileSync(shaders, generated);
  }
}

export interface Options {
  /** The tree; nothing is written there. */
  readonly root: string;
  readonly mutants: readonly Mutant[];
  /** How many faults are tried at a time, each in a copy of its own. @default 2 */
  readonly atATime?: number;
  readonly report?: (result: Result) => void;
}

/** Tries all faults. Rejects when the tests fail without any. */
export async function runMutants(options: Options): Promise<Result[]> {
  const { root, mutants, atATime = 2, report = () => {} } = options;
  const all = testFiles(root);
  const results: Result[] = [];
  const add = (result: Result): void => {
    results.push(result);
    report(result);
  };
  const open: Mutant[] = [];
  for (const mutant of mutants) {
    const broken = whatIsBroken(root, mutant, all);
    if (broken !== undefined) add({ mutant, outcome: "broken", note: broken, seconds: 0 });
    else if (mutant.harmless === undefined) open.push(mutant);
    else add({ mutant, outcome: "explained", note: mutant.harmless, seconds: 0 });
  }
  if (open.length === 0) return results;
  const parent = fs.mkdtempSync(path.join(fs.realpathSync(os.tmpdir()), "webgguf-mutants-"));
  const tidy = (): void => fs.rmSync(parent, { recursive: true, force: true });
  process.once("exit", tidy);
  try {
    const folders = Array.from({ length: Math.min(atATime, open.length) }, (_, i) =>
      copy(root, path.join(parent, `${i}`)),
    );
    const needed = [...new Set(open.flatMap((mutant) => testsOf(mutant, all)))];
    const from = Date.now();
    const { code, output } = await run(folders[0]!, vitest(needed, []), 30 * 60_000);
    if (code !== 0) {
      throw new Error(`Cannot try faults: the tests fail without any.\n${output.slice(-4000)}`);
    }
    // A fault may make a loop endless; tests that are only slow stay well below this.
    const limitMs = 60_000 + 2 * (Date.now() - from);
    await Promise.all(
      folders.map(async (folder) => {
        for (let mutant = open.shift(); mutant !== undefined; mutant = open.shift()) {
          const began = Date.now();
          const result = await tryOne(folder, mutant, testsOf(mutant, all), limitMs);
          add({ ...result, seconds: (Date.now() - began) / 1000 });
        }
      }),
    );
  } finally {
    stop();
    process.removeListener("exit", tidy);
    tidy();
  }
  return results;
}
