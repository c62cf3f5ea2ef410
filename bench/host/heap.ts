/** What a decode step leaves to the garbage collector, in Node started with --expose-gc and otherwise as anyone starts it. */
import { PerformanceObserver } from "node:perf_hooks";
import process from "node:process";
import type { Gpu } from "../../src/platform/types.ts";
import { openPair } from "./measure.ts";

const STEPS = 1000;

export interface HeapReport {
  readonly steps: number;
  /** Bytes of JavaScript objects for each step: the engine's, and those of the same calls made barely. */
  readonly step: number;
  readonly bare: number;
  /** Collections while the engine's steps ran. */
  readonly collections: number;
}

export async function measureHeap(gpu: Gpu): Promise<HeapReport> {
  const gc = (globalThis as { gc?: () => void }).gc;
  if (!gc) throw new Error("start Node with --expose-gc");
  const pair = await openPair(gpu);
  let collections = 0;
  const observer = new PerformanceObserver((list) => {
    collections += list.getEntries().length;
  });
  observer.observe({ entryTypes: ["gc"] });
  const perStep = async (run: () => Promise<unknown>): Promise<number> => {
    for (let i = 0; i < 100; i++) await run();
    gc();
    await new Promise((resolve) => setTimeout(resolve, 50));
    collections = 0;
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < STEPS; i++) await run();
    return (process.memoryUsage().heapUsed - before) / STEPS;
  };
  const bare = await perStep(pair.bare);
  const step = await perStep(pair.step);
  await new Promise((resolve) => setTimeout(resolve, 50));
  observer.disconnect();
  await pair.dispose();
  return { steps: STEPS, step, bare, collections };
}
