/**
 * One runtime's part of `npm run test:soak`: uses models, sessions and workers in every way for some minutes and looks
 * at the memory between rounds. Prints a table; exits with 1 when memory grows, a call fails wrongly or something is left.
 *
 * MALLOC_ARENA_MAX=1 node --expose-gc --import tsx test/soak/run.ts MINUTES NAME
 */
import process from "node:process";
import { loadModel, type Model } from "../../mod.ts";
import { median } from "../../src/base/median.ts";
import { fixture } from "../fixture.ts";
import { random } from "../fuzz/mutate.ts";
import { counting, playOrder } from "../fuzz/orders.ts";
import { gpuAvailable } from "../gpu.ts";

const MIB = 2 ** 20;
/** What may be added to a median between the second and the last quarter of the run. */
const MARGINS = { heap: 1 * MIB, rss: 32 * MIB };

interface Sample {
  readonly seconds: number;
  readonly rounds: number;
  readonly heap: number;
  readonly rss: number;
  readonly buffers: number;
}

const [minutes, name] = [Number(process.argv[2]), process.argv[3]];
const collect = (globalThis as { gc?: () => void }).gc;
if (!(minutes > 0) || !collect) {
  console.error("usage: node --expose-gc --import tsx test/soak/run.ts MINUTES NAME");
  process.exit(2);
}
const bytes = await fixture("reference/archs/llama.gguf");
const load = { device: "cpu", contextLength: 64 } as const;
const samples: Sample[] = [];
const faults: string[] = [];
/** One signal for all answers: listeners would pile up on it. */
const { signal } = new AbortController();

/** Answers on a model that lives as long as the run. */
async function use(model: Model): Promise<void> {
  const session = model.session();
  await session.generate([1, 2, 3], { maxTokens: 8, ignoreEos: true, signal });
  for await (const _ of session.generate([4], { ignoreEos: true, signal })) break;
  await session.logits([5, 6], { signal });
  await model.session().generate([7], { signal }).next(); // never read on
  await session.dispose();
  if (model.device.kind === "cpu") await model.restore({ signal });
}

async function useGpu(): Promise<void> {
  const model = await loadModel(bytes, { ...load, device: "gpu" });
  await use(model);
  await model.dispose();
}

await counting(async (open) => {
  // The driver's own memory comes with the first use.
  if (gpuAvailable) await useGpu();
  const living = await loadModel(bytes, load);
  const { devices, executors } = open;
  const started = performance.now();
  const end = started + 60_000 * minutes;
  for (let rounds = 0; performance.now() < end; ) {
    const until = Math.min(end, performance.now() + Math.max(2000, 1500 * minutes));
    do {
      await use(living);
      open.devices -= devices;
      open.executors -= executors;
      const report = await playOrder(
        {
          bytes,
          load,
          inWorker: rounds % 2 === 1,
          steps: 60,
          below: random(rounds),
          limit: 10_000,
        },
        open,
      );
      open.devices += devices;
      open.executors += executors;
      faults.push(...report.faults);
      rounds++;
    } while (performance.now() < until && faults.length === 0);
    if (gpuAvailable) await useGpu();
    // Twice: what finalizers let go of is there for the second.
    for (let i = 0; i < 2; i++) {
      collect();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const { heapUsed, rss } = process.memoryUsage();
    const seconds = (performance.now() - started) / 1000;
    samples.push({ seconds, rounds, heap: heapUsed, rss, buffers: open.buffers.size });
    if (faults.length > 0) break;
  }
  await living.dispose();
});

const mib = (value: number): string => (value / MIB).toFixed(1).padStart(9);
console.log(`${name}${gpuAvailable ? "" : ", without a GPU"}`);
console.log("  seconds   rounds  heap MiB   RSS MiB  GPU buffers");
const every = Math.ceil(samples.length / 20);
for (const [i, { seconds, rounds, heap, rss, buffers }] of samples.entries())
  if (i % every === 0 || i === samples.length - 1)
    console.log(
      `${seconds.toFixed(0).padStart(9)}${String(rounds).padStart(9)} ${mib(heap)} ${mib(rss)}${String(buffers).padStart(13)}`,
    );
const quarter = Math.max(1, Math.floor(samples.length / 4));
const growth = (of: "heap" | "rss"): number =>
  median(samples.slice(-quarter).map((one) => one[of])) -
  median(samples.slice(quarter, 2 * quarter).map((one) => one[of]));
for (const of of ["heap", "rss"] as const) {
  console.log(`${of} grew by ${mib(growth(of)).trim()} MiB from the second quarter to the last`);
  if (growth(of) > MARGINS[of]) faults.push(`${of} grows: ${mib(growth(of)).trim()} MiB`);
}
if (samples.length < 4) faults.push("too few rounds to tell: give it more minutes");
if (samples.some(({ buffers }) => buffers > 0)) faults.push("GPU buffers are left");
for (const fault of faults) console.log(`${name}: ${fault}`);
process.exit(faults.length > 0 ? 1 : 0);
