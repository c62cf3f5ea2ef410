/** Puts faults into a copy of a tree, one at a time, and runs the tests that must notice them. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { Copy, start, stop } from "./copy.ts";
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

const shaders = "wgsl/mod.ts";

/** What is known of test files, from the runs so far. */
class Known {
  /** Milliseconds that each took without a fault, or with one that it did not notice. */
  readonly ms = new Map<string, number>();
  readonly #limitMs: number;
  /** By file and test: that one has noticed a fault in the other. */
  readonly noticed = new Set<string>();

  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  /** A fault may make a loop endless; a test that is only slow stays well below this. */
  limitMs(test: string): number {
    return this.#limitMs + 2 * (this.ms.get(test) ?? this.#limitMs);
  }

  /** The test files in the order in which they should be tried: the likeliest and quickest first. */
  order(file: string, tests: readonly string[]): string[] {
    const stem = `/${path.posix.parse(file).name}.`;
    const cost = (test: string): number => {
      const likely = test.includes(stem) || this.noticed.has(`${file} ${test}`);
      return (this.ms.get(test) ?? 1000) + (likely ? 0 : 1e9);
    };
    return [...tests].sort((a, b) => cost(a) - cost(b));
  }
}

/** Runs a test file without a fault, unless it has passed already; rejects when it fails. */
async function mustPass(copy: Copy, test: string, known: Known): Promise<void> {
  if (known.ms.has(test)) return;
  const from = Date.now();
  const verdict = await copy.test(test, 30 * 60_000);
  if (verdict?.passed) known.ms.set(test, Date.now() - from);
  else
    throw new Error(
      `Cannot try faults: the tests fail without any, in ${test}.\n${verdict?.output.slice(-4000) ?? "It did not end."}`,
    );
}

/** Puts one fault into a copy, runs its tests, and takes it out again. Rejects when the test that fails does so without it. */
async function tryOne(
  copy: Copy,
  mutant: Mutant,
  tests: readonly string[],
  known: Known,
): Promise<Omit<Result, "seconds">> {
  const { file } = mutant;
  const text = copy.read(file);
  const generated = file.endsWith(".wgsl") ? copy.read(shaders) : undefined;
  const putIn = async (): Promise<Omit<Result, "seconds"> | undefined> => {
    copy.write(
      file,
      text.replace(mutant.from, () => mutant.to),
    );
    if (generated === undefined) return undefined;
    const { ended } = start(copy.folder, ["--import", "tsx", "scripts/wgsl.ts"]);
    if ((await ended) !== 0)
      return { mutant, outcome: "noticed", note: "wgsl/mod.ts cannot be made" };
    copy.write(shaders, copy.read(shaders));
    if (copy.read(shaders) !== generated) return undefined;
    return { mutant, outcome: "broken", note: "it changes nothing in wgsl/mod.ts" };
  };
  const takeOut = (): void => {
    copy.write(file, text);
    if (generated !== undefined) copy.write(shaders, generated);
  };
  try {
    const over = await putIn();
    if (over) return over;
    for (const test of known.order(file, tests)) {
      const from = Date.now();
      const limit = known.limitMs(test);
      let verdict = await copy.test(test, limit);
      if (!verdict && !known.ms.has(test)) {
        takeOut();
        await mustPass(copy, test, known);
        await putIn();
        // Only then is it known how long it takes.
        if (known.limitMs(test) > limit) verdict = await copy.test(test, known.limitMs(test));
      }
      if (verdict?.passed) {
        known.ms.set(test, Date.now() - from);
        continue;
      }
      if (/\[?PARSE_ERROR|Transform failed/.test(verdict?.output ?? ""))
        return { mutant, outcome: "broken", note: "the file with it is no TypeScript" };
      takeOut();
      await mustPass(copy, test, known);
      known.noticed.add(`${file} ${test}`);
      const late = verdict ? "" : ", which did not end";
      return { mutant, outcome: "noticed", note: `${test}${late}` };
    }
    return { mutant, outcome: "not noticed" };
  } finally {
    takeOut();
  }
}

export interface Options {
  /** The tree; nothing is written there. */
  readonly root: string;
  readonly mutants: readonly Mutant[];
  /** How many faults are tried at a time, each in a copy of its own. @default 2 */
  readonly atATime?: number;
  /** Milliseconds after which a test file with a fault has not ended, besides twice what it takes without. @default 20000 */
  readonly limitMs?: number;
  readonly report?: (result: Result) => void;
}

/** Tries all faults. Rejects when a test that should notice one fails without it. */
export async function runMutants(options: Options): Promise<Result[]> {
  const { root, mutants, atATime = 2, limitMs = 20_000, report = () => {} } = options;
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
    const known = new Known(limitMs);
    await Promise.all(
      Array.from({ length: Math.min(atATime, open.length) }, async (_, i) => {
        const copy = new Copy(root, path.join(parent, `${i}`));
        for (let mutant = open.shift(); mutant !== undefined; mutant = open.shift()) {
          const began = Date.now();
          const result = await tryOne(copy, mutant, testsOf(mutant, all), known);
          add({ ...result, seconds: (Date.now() - began) / 1000 });
        }
        await copy.close();
      }),
    );
  } finally {
    stop();
    process.removeListener("exit", tidy);
    tidy();
  }
  return results;
}
