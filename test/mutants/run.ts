/**
 * npm run test:mutants -- [--only ROOM,…]
 *
 * Tries the small faults of test/mutants/ROOM.ts: each is put into a copy of the tree (never the tree itself), and
 * the tests beside it must fail. A line for each, and at the end
 * `N mutants: N noticed, N not noticed, N explained`. Exits 1 when fewer than nine in ten of those that are not
 * explained are noticed, when one does not fit the code, or when the tests fail without a fault.
 */
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { stop } from "./copy.ts";
import type { Mutant } from "./mutant.ts";
import { runMutants, sums } from "./runner.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = path.join(root, "test/mutants");
const { values } = parseArgs({ options: { only: { type: "string" } } });

const rooms = fs
  .readdirSync(folder)
  .filter((name) => /^[a-z0-9-]+\.ts$/.test(name))
  .map((name) => name.slice(0, -3))
  .filter((name) => !["copy", "mutant", "run", "runner"].includes(name));
const wanted = values.only?.split(",") ?? rooms;
const unknown = wanted.filter((room) => !rooms.includes(room));
if (unknown.length > 0) {
  console.error(`No faults are listed for ${unknown.join(", ")}; there are ${rooms.join(", ")}.`);
  process.exit(2);
}

const mutants: Mutant[] = [];
for (const room of wanted) {
  const module = await import(pathToFileURL(path.join(folder, `${room}.ts`)).href);
  mutants.push(...(module.mutants as readonly Mutant[]));
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    stop();
    process.exit(1);
  });
}

try {
  const results = await runMutants({
    root,
    mutants,
    report: ({ mutant, outcome, note, seconds }) => {
      const mark = { noticed: "✓", explained: "-", "not noticed": "✗", broken: "✗" }[outcome];
      const time = seconds > 0 ? ` (${seconds.toFixed(1)} s)` : "";
      const why = note === undefined ? "" : `: ${note}`;
      console.log(`${mark} ${outcome}${time} ${mutant.file}: ${mutant.fault}${why}`);
    },
  });
  const { line, ok } = sums(results);
  console.log(line);
  process.exitCode = ok ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
