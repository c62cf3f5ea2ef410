/**
 * The measurement of the host's part in Node or Deno, as a line of JSON. In Node, `--null` takes Dawn
 * without a driver, whose submits do nothing, and `--heap` counts garbage instead of time.
 */
import process from "node:process";
import { platform } from "#platform";
import { openDevice } from "../../src/platform/gpu.ts";
import type { Gpu } from "../../src/platform/types.ts";
import { measureHeap } from "./heap.ts";
import { measureHost } from "./measure.ts";

/** Kept, because a device must not outlive its entry point. */
let dawn: GPU | undefined;

async function openNull(): Promise<Gpu> {
  const { create } = await import("webgpu");
  dawn = create(["backend=null"]) as GPU;
  return openDevice(dawn, (await dawn.requestAdapter())!, "no driver (Dawn's null backend)");
}

const flag = (name: string): boolean => process.argv.includes(name);
const gpu = flag("--null") ? await openNull() : await platform.openGpu();
const report = flag("--heap") ? await measureHeap(gpu) : await measureHost(gpu);
process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit());
