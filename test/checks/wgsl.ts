/**
 * npm run check:wgsl: compiles every kernel variant with both compilers of WGSL that exist, without
 * a GPU: Tint on Dawn's null device, which has all features, and naga in a Deno of its own, because
 * an internal error of it ends the process.
 */
import { spawn } from "node:child_process";
import os from "node:os";
import { create } from "webgpu";
import { denoCommand } from "../run/deno.mjs";
import "../run/patient-polling.mjs";
import { compileAll, type Outcome } from "./compile.ts";
import { root } from "./sources.ts";

/** Prints a compiler's failures and its sum; returns the number of failures. */
function report(compiler: string, outcomes: readonly Outcome[]): number {
  const failed = outcomes.filter((outcome) => outcome.error !== undefined);
  for (const { name, error } of failed) {
    console.log(`${compiler}: ${name}: ${error?.replace(/\s+/g, " ").trim()}`);
  }
  const lacking = new Map<string, number>();
  for (const { lacks } of outcomes) {
    if (lacks !== undefined) lacking.set(lacks, (lacking.get(lacks) ?? 0) + 1);
  }
  const skipped = Array.from(lacking, ([what, count]) => `, ${count} not tried (no ${what})`);
  const fine = outcomes.length - failed.length - [...lacking.values()].reduce((a, b) => a + b, 0);
  console.log(`${compiler}: ${fine} compiled, ${failed.length} failed${skipped.join("")}`);
  return failed.length;
}

async function tint(): Promise<Outcome[]> {
  const gpu = create(["backend=null"]);
  const adapter = await gpu.requestAdapter();
  const device = await adapter!.requestDevice({ requiredFeatures: ["shader-f16", "subgroups"] });
  const outcomes: Outcome[] = [];
  for await (const outcome of compileAll(device, () => {})) outcomes.push(outcome);
  device.destroy();
  return outcomes;
}

async function naga(part: number, parts: number): Promise<Outcome[]> {
  const [program, ...first] = denoCommand;
  const args = [
    "run",
    "-A",
    "--no-check",
    "--quiet",
    "--node-modules-dir=manual",
    "test/checks/wgsl-naga.ts",
  ];
  const child = spawn(program!, [...first, ...args, `${part}`, `${parts}`], { cwd: root });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (data) => {
    stdout += data;
  });
  child.stderr.on("data", (data) => {
    stderr += data;
  });
  const status = await new Promise((resolve) => child.on("close", resolve));
  const lines = stdout.split("\n").filter((line) => line.startsWith("{"));
  const parsed = lines.map((line) => JSON.parse(line) as Outcome & { begun?: string });
  const outcomes: Outcome[] = parsed.filter((one) => one.begun === undefined);
  if (status !== 0) {
    const name = parsed.at(-1)?.begun ?? "start";
    outcomes.push({
      name,
      error: `Deno ended: ${stderr.trim().split("\n").slice(0, 3).join(" ")}`,
    });
  }
  return outcomes;
}

// Side by side: each keeps one processor busy. naga's pipelines go on to a driver, which takes most of the time.
const parts = os.availableParallelism() > 1 ? 2 : 1;
const nagas = Array.from({ length: parts }, (_, part) => naga(part, parts));
const [tinted, ...outcomes] = await Promise.all([tint(), ...nagas]);
const failures = report("Tint", tinted) + report("naga", outcomes.flat());
process.exitCode = failures > 0 ? 1 : 0;
