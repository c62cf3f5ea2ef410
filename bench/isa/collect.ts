/**
 * Makes every pipeline of some plans on whatever adapter this process has, one after the other, so that tap.c writes
 * down what the driver says of each. Runs in Node and Deno; COLLECT holds the settings, TAP_OUT the folder.
 */
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { Pipelines } from "../../src/gpu/pipelines.ts";
import { compose, variantKey } from "../../src/kernels/compose.ts";
import { openDevice } from "../../src/platform/gpu.ts";
import { nameOf, type PlanSettings, plannedKernels } from "./plans.ts";

export interface CollectSettings extends PlanSettings {
  readonly wgsl: readonly string[];
  /** Dawn's toggles. */
  readonly enable: string;
  readonly disable: string;
}

/** What a line of cases.jsonl says. */
export interface CollectedCase {
  /** What tap.c calls the pipeline. */
  readonly key: string;
  readonly name: string;
  readonly model: string;
  readonly rows: number;
  readonly kernel: string;
  readonly variant: string;
  readonly count: number;
  readonly consts: Readonly<Record<string, number | boolean | string>>;
}

const settings = JSON.parse(process.env["COLLECT"]!) as CollectSettings;

async function open(): Promise<[GPU, GPUAdapter | null]> {
  if ("Deno" in globalThis) return [navigator.gpu, await navigator.gpu.requestAdapter()];
  const { create } = await import("webgpu");
  const toggles = [
    settings.enable && `enable-dawn-features=${settings.enable}`,
    settings.disable && `disable-dawn-features=${settings.disable}`,
  ].filter(Boolean);
  const gpu = create(["backend=vulkan", ...toggles]);
  Object.assign(globalThis, { kept: gpu }); // Dawn ends the process where this is collected
  return [gpu, await gpu.requestAdapter()];
}

const [gpu, adapter] = await open();
if (!adapter) throw new Error("no adapter");
const { device, capabilities } = await openDevice(gpu, adapter);
const out = fs.openSync(path.join(process.env["TAP_OUT"]!, "cases.jsonl"), "w");
const made = new Set<string>();

function make(about: CollectedCase, code: string, layout: GPUPipelineLayout | "auto"): void {
  fs.writeSync(out, `${JSON.stringify(about)}\n`);
  if (made.has(about.key)) return;
  made.add(about.key);
  process.env["TAP_LABEL"] = about.key;
  try {
    const entryPoint = /@compute[\s\S]*?\bfn\s+(\w+)/.exec(code)?.[1];
    const module = device.createShaderModule({ code });
    device.createComputePipeline({ layout, compute: { module, entryPoint } });
  } catch (error) {
    console.error(`${about.key}: ${String(error).split("\n")[0]}`);
  }
}

const pipelines = Pipelines.of(device);
const { step, tables } = pipelines.layouts;
// As the makers' own drivers say it; Mesa's are Mesa's.
const vendor = process.env["COLLECT_VENDOR"] || capabilities.vendor;
const real = { ...capabilities, software: false, vendor };
for (const one of await plannedKernels(settings, real)) {
  const { call, model, rows, count } = one;
  const { kernel, variant, consts = {} } = call;
  const bindGroupLayouts = [step, pipelines.groupLayout(call), ...(call.tables ? [tables] : [])];
  const about = { key: variantKey(call), name: nameOf(one), model, rows, kernel, variant, count };
  make({ ...about, consts }, compose(call), device.createPipelineLayout({ bindGroupLayouts }));
}
for (const file of settings.wgsl) {
  const kernel = path.basename(file, ".wgsl");
  const about = { key: `wgsl ${file}`, name: kernel, model: "", rows: 0, kernel, variant: "" };
  make({ ...about, count: 1, consts: {} }, fs.readFileSync(file, "utf8"), "auto");
}
process.exit(0);
