/**
 * How near the kernels that read weights come to the device's memory: for each type and kernel the milliseconds,
 * the GB/s of weights, and their share of what a copy kernel moves (bytes read and bytes written) on the same
 * device in turn with it; with floats and with int8 activations side by side. It never fails on speed.
 *
 *   npm run -s bench:kernel -- [--types q4_0,q8_0 | all] [--shapes 4096x4096,…] [--kernels matvec,matmul,embed,moe]
 *                              [--rows 1,4,8] [--tuning lanes=4,tile=64] [--json] [--compare OLD.json]
 *
 *   npm run -s bench:kernel -- --cpu [--types …] [--shapes 1024] [--json]      the CPU's kernels (see kernel-cpu.ts)
 *
 * A shape is inputs × outputs. Up to 8 rows are for matvec and moe, more for matmul and embed. --json prints
 * what --compare reads.
 */

import { readFileSync } from "node:fs";
import process from "node:process";
import { platform } from "#platform";
import { parseFlags, usage, type Values } from "../cli/flags.ts";
import { median } from "../src/base/median.ts";
import { quantTables } from "../src/file/grids.ts";
import { type QuantType, quantByName, quants } from "../src/file/quants.ts";
import { Pipelines } from "../src/gpu/pipelines.ts";
import { Replay } from "../src/gpu/replay.ts";
import { SMALL_ROWS } from "../src/graph/requests.ts";
import type { KernelCall } from "../src/kernels/call.ts";
import { ALL_ROWS } from "../src/kernels/call.ts";
import { storedBytes } from "../src/kernels/layouts.ts";
import { hasInt8, hasQuantKernel } from "../src/kernels/quants.ts";
import type { LinearTuning } from "../src/kernels/tuning.ts";
import type { Plan } from "../src/plan/plan.ts";
import { encodeStep, slotBytes } from "../src/plan/steps.ts";
import { tuningFor } from "../src/plan/tuning.ts";
import { Buffers, BufferUsage } from "../src/platform/buffers.ts";
import type { Gpu } from "../src/platform/types.ts";
import {
  type Case,
  callsOf,
  type KernelName,
  kernelNames,
  routeOf,
  type Shape,
  weightElements,
} from "./kernel-cases.ts";
import { type Batch, copyKernel, Timer } from "./kernel-timer.ts";
import { randomWeights } from "./random-blocks.ts";
import { stored } from "./stored.ts";

interface Result {
  readonly kernel: KernelName;
  readonly type: string;
  readonly k: number;
  readonly n: number;
  readonly rows: number;
  readonly activations: "f32" | "int8";
  /** Of one dispatch. */
  readonly ms: number;
  /** 10⁹ bytes of weights a second. */
  readonly gbps: number;
  /** Share of the copy kernel's bytes a second. */
  readonly ofCopy: number;
}

interface Report {
  readonly adapter: string;
  readonly runtime: string;
  /** Of this package. */
  readonly version: string;
  readonly date: string;
  readonly timestamps: boolean;
  readonly copyGbps: number;
  readonly results: readonly Result[];
}

const FLAGS = [
  { names: ["--cpu"], help: "the kernels of the CPU path" },
  { names: ["--types"], value: "A,B", help: "tensor types, or all" },
  { names: ["--shapes"], value: "KxN", help: "inputs x outputs" },
  { names: ["--kernels"], value: "A,B", help: kernelNames.join(", ") },
  { names: ["--rows"], value: "1,4,8", help: "rows of activations" },
  {
    names: ["--tuning"],
    value: "KEY=N,…",
    help: "threads, lanes, subgroup, tile of the kernels",
  },
  { names: ["--json"], help: "the report as JSON" },
  { names: ["--compare"], value: "OLD.json", help: "an older report" },
];

const ROUNDS = 5;

/** Sizes by kind of device: real ones need work that outlasts a launch and outgrows a cache. */
const sizes = (software: boolean) =>
  software
    ? { shapes: "1024x1024", rows: "1,64", copy: 8 << 20, weights: 8 << 20, seconds: 0.04 }
    : {
        shapes: "4096x4096,4096x14336",
        rows: "1,512",
        copy: 256 << 20,
        weights: 256 << 20,
        seconds: 0.01,
      };
type Sizes = ReturnType<typeof sizes>;

const list = (text: string): string[] => text.split(",").filter(Boolean);

function typesOf(text: string): QuantType[] {
  const usable = quants.filter(hasQuantKernel);
  if (text === "all") return usable;
  return list(text).map((name) => {
    const type = quantByName(name);
    if (!type || !usable.includes(type)) throw usage(`--types does not know "${name}"`);
    return type;
  });
}

function shapeOf(text: string): Shape {
  const [, k, n] = /^(\d+)x(\d+)$/.exec(text) ?? [];
  if (k === undefined || Number(k) < 1 || Number(n) < 1)
    throw usage(`--shapes wants inputs x outputs such as 4096x4096, not "${text}"`);
  return { k: Number(k), n: Number(n) };
}

function rowsOf(text: string): number {
  const rows = Number(text);
  if (!Number.isInteger(rows) || rows < 1) throw usage(`--rows wants whole numbers, not "${text}"`);
  return rows;
}

/** All cases in the order they are printed; a pair that int8 can do is two neighbours. */
function casesOf(values: Values, defaults: Sizes, packedDot: boolean): Case[] {
  const types = typesOf(values.text("types") ?? "q4_0,q8_0,q4_k,q6_k,f16");
  const shapes = list(values.text("shapes") ?? defaults.shapes).map(shapeOf);
  const kernels = list(values.text("kernels") ?? kernelNames.join(",")).map((name) => {
    const found = kernelNames.find((one) => one === name);
    if (!found) throw usage(`--kernels knows ${kernelNames.join(", ")}, not "${name}"`);
    return found;
  });
  const given = list(values.text("rows") ?? "").map(rowsOf);
  const usual = list(defaults.rows).map(rowsOf);
  const cases: Case[] = [];
  for (const kernel of kernels) {
    const few = kernel === "matvec" || kernel === "moe";
    const fits = (rows: number): boolean => rows <= SMALL_ROWS === few;
    const counts = given.some(fits) ? given.filter(fits) : usual.filter(fits);
    for (const shape of shapes)
      for (const rows of counts)
        for (const type of types.filter((t) => shape.k % t.elements === 0)) {
          const one = { kernel, type, ...shape, rows };
          cases.push({ ...one, int8: false });
          if (kernel.startsWith("mat") && packedDot && hasInt8(type))
            cases.push({ ...one, int8: true });
        }
  }
  return cases;
}

/** The device's own tuning with the given numbers in it. */
function tuningOf(text: string, usual: LinearTuning): LinearTuning {
  const given = list(text).map((pair) => {
    const [, key, value] = /^(threads|lanes|weightRows|subgroup|tile)=(\d+)$/.exec(pair) ?? [];
    if (key === undefined) throw usage(`--tuning wants pairs such as lanes=4, not "${pair}"`);
    return [key, Number(value)] as const;
  });
  return { ...usual, ...Object.fromEntries(given) };
}

class Bench {
  readonly #gpu: Gpu;
  readonly #tuning: LinearTuning;
  readonly #pipelines: Pipelines;
  readonly #buffers: Buffers;
  readonly #timer: Timer;
  readonly #sizes: Sizes;
  readonly #copy: Batch;
  #copyCount = 0;
  readonly copyRates: number[] = [];

  constructor(gpu: Gpu, defaults: Sizes, tuning: LinearTuning) {
    this.#gpu = gpu;
    this.#tuning = tuning;
    this.#sizes = defaults;
    this.#pipelines = Pipelines.of(gpu.device);
    this.#buffers = new Buffers(gpu);
    this.#timer = new Timer(gpu, this.#buffers);
    this.#copy = copyKernel(gpu, this.#buffers, defaults.copy);
  }

  async run(one: Case): Promise<Result> {
    const { device, capabilities } = this.#gpu;
    const room = storedBytes(one.type, weightElements(one));
    const stride = Math.ceil((room + 16) / 256) * 256;
    const most = Math.floor(capabilities.limits["maxBufferSize"] / stride);
    const copies = Math.max(1, Math.min(most, 64, Math.ceil(this.#sizes.weights / stride)));
    const made = callsOf(one, copies, stride, this.#tuning);
    await this.#pipelines.compile([...made.calls, ...made.before]);
    const buffers = new Buffers(this.#gpu);
    try {
      const named = this.#fill(one, copies, stride, made.words, buffers);
      await buffers.settled();
      const group = this.#stepGroup(one, buffers);
      const replay = (calls: readonly KernelCall[]): Batch => {
        const replayed = new Replay(planOf(calls), device, buffers, this.#pipelines, named);
        return (pass, count) => {
          pass.setBindGroup(0, group.step, [0]);
          pass.setBindGroup(2, group.tables);
          for (let left = count; left > 0; left -= calls.length)
            replayed.encode(pass, {
              end: Math.min(left, calls.length),
              sampling: "greedy",
              rows: { length: one.rows },
              outputs: 0,
            });
        };
      };
      if (made.before.length > 0) await this.#timer.seconds(replay(made.before), 1);
      const batch = replay(made.calls);
      const { seconds } = this.#sizes;
      this.#copyCount ||= await this.#timer.calibrate(this.#copy, seconds);
      const count = await this.#timer.calibrate(batch, seconds);
      const times: number[] = [];
      const shares: number[] = [];
      // In turn, so that what else the machine does hits both alike.
      for (let round = 0; round < ROUNDS; round++) {
        const copied = (2 * this.#sizes.copy * this.#copyCount) / 1e9;
        const rate = copied / (await this.#timer.seconds(this.#copy, this.#copyCount));
        this.copyRates.push(rate);
        times.push((await this.#timer.seconds(batch, count)) / count);
        shares.push(made.bytes / 1e9 / times[round] / rate);
      }
      const time = median(times);
      return {
        kernel: one.kernel,
        type: one.type.name,
        k: one.k,
        n: one.n,
        rows: one.rows,
        activations: one.int8 ? "int8" : "f32",
        ms: 1000 * time,
        gbps: made.bytes / 1e9 / time,
        ofCopy: median(shares),
      };
    } finally {
      buffers.disposeAll();
    }
  }

  /** Random weights, once written and then copied, and random activations. */
  #fill(
    one: Case,
    copies: number,
    stride: number,
    words: Readonly<Record<string, number>>,
    buffers: Buffers,
  ): Map<string, GPUBuffer> {
    const { device } = this.#gpu;
    const { storage, copyTarget, copySource } = BufferUsage;
    const make = (name: string, bytes: number): GPUBuffer =>
      buffers.allocate(name, Math.max(16, bytes), storage | copyTarget | copySource);
    const named = new Map<string, GPUBuffer>();
    for (const [name, count] of Object.entries(words)) named.set(name, make(name, 4 * count));
    for (const name of ["small", "sampled", "history"]) named.set(name, make(name, 256));
    const weights = make("weights", copies * stride);
    named.set("weights", weights);
    // A buffer cannot be copied into itself.
    const once = make("weights once", stride);
    let at = 0;
    for (const piece of randomWeights(one.type, weightElements(one), 1)) {
      // The last piece may end within a word; the piece's memory does not.
      const length = Math.ceil(piece.length / 4) * 4;
      const data = stored(one.type, piece);
      const bytes = data === piece ? new Uint8Array(piece.buffer, 0, length) : data;
      device.queue.writeBuffer(once, at, bytes);
      at += data.length;
    }
    const encoder = device.createCommandEncoder();
    for (let copy = 0; copy < copies; copy++)
      encoder.copyBufferToBuffer(once, 0, weights, copy * stride, stride);
    device.queue.submit([encoder.finish()]);
    const x = Float32Array.from({ length: words["x"] }, (_, i) => Math.sin(i));
    device.queue.writeBuffer(named.get("x")!, 0, x);
    if (one.kernel === "moe") device.queue.writeBuffer(named.get("route")!, 0, routeOf(one.rows));
    return named;
  }

  /** Groups 0 and 2: rows with tokens spread over the table, and the lookup tables. */
  #stepGroup(one: Case, buffers: Buffers): Record<"step" | "tables", GPUBindGroup> {
    const { device } = this.#gpu;
    const pipelines = this.#pipelines;
    const usage = BufferUsage.storage | BufferUsage.copyTarget;
    const words = new Uint32Array(slotBytes(one.rows) / 4);
    const rows = Array.from({ length: one.rows }, (_, i) => ({
      sequence: 0,
      position: i,
      token: Math.imul(i, 7919) % one.n,
      end: i + 1,
      output: false,
    }));
    encodeStep(words, 0, rows, 0);
    const put = (data: Uint32Array<ArrayBuffer>): GPUBuffer => {
      const buffer = buffers.allocate("step", data.byteLength, usage);
      device.queue.writeBuffer(buffer, 0, data);
      return buffer;
    };
    return {
      step: pipelines.stepGroup(put(words), words.byteLength, put(new Uint32Array(4))),
      tables: pipelines.tablesGroup(put(quantTables())),
    };
  }
}

/** Just the calls, as a plan. */
const planOf = (calls: readonly KernelCall[]): Plan => ({
  rowClass: { rows: 1, outputs: 1 },
  calls,
  bodyLength: calls.length,
  outputLength: calls.length,
  sampling: [],
  arena: [],
  output: { buffer: "out", offset: 0, stride: 0, width: 0, domain: ALL_ROWS },
});

const keyOf = (r: Result): string => `${r.kernel} ${r.type} ${r.k}x${r.n} ${r.rows}`;

/** Both kinds of activations of a case on one line; with an old report, how much faster each is now. */
function table(report: Report, old: Report | undefined): string {
  const before = new Map(old?.results.map((r) => [`${keyOf(r)} ${r.activations}`, r]));
  const figures = (r: Result | undefined): string => {
    if (!r) return "".padEnd(old ? 34 : 26);
    const was = before.get(`${keyOf(r)} ${r.activations}`);
    const change = was ? `${(r.gbps / was.gbps).toFixed(2)}x` : "-";
    const columns = [
      r.ms.toFixed(3).padStart(9),
      r.gbps.toPrecision(3).padStart(8),
      `${(100 * r.ofCopy).toFixed(0)}%`.padStart(7),
    ];
    return [...columns, ...(old ? [change.padStart(8)] : [])].join(" ");
  };
  const head = ["ms", "GB/s", "of copy", ...(old ? ["then:now"] : [])];
  const heads = head.map((text, i) => text.padStart([9, 8, 7, 8][i])).join(" ");
  const lines = new Map<string, Partial<Record<"f32" | "int8", Result>>>();
  for (const r of report.results)
    lines.set(keyOf(r), { ...lines.get(keyOf(r)), [r.activations]: r });
  return [
    `${report.adapter}, ${report.runtime}, webgguf ${report.version}, ${report.date}`,
    `copy kernel: ${report.copyGbps.toPrecision(3)} GB/s, reads and writes together`,
    `${"kernel type shape rows".padEnd(34)}${heads}  int8:${heads.slice(5)}  int8:f32`,
    ...[...lines].map(([key, { f32, int8 }]) => {
      const faster = f32 && int8 ? `${(f32.ms / int8.ms).toFixed(2)}x` : "";
      return `${key.padEnd(34)}${figures(f32)}  ${figures(int8)}  ${faster.padStart(8)}`.trimEnd();
    }),
  ].join("\n");
}

function readReport(path: string): Report {
  const report = JSON.parse(readFileSync(path, "utf8")) as Report;
  if (!Array.isArray(report.results)) throw usage(`${path} is no report of this bench`);
  return report;
}

async function main(args: readonly string[]): Promise<void> {
  const values = parseFlags(args, FLAGS);
  if (values.switch("cpu")) {
    const { benchCpu } = await import("./kernel-cpu.ts");
    return benchCpu(values);
  }
  const oldPath = values.text("compare");
  const old = oldPath === undefined ? undefined : readReport(oldPath);
  const gpu = await platform.openGpu();
  const { capabilities } = gpu;
  const defaults = sizes(capabilities.software);
  const cases = casesOf(values, defaults, capabilities.packedDot);
  const tuning = tuningOf(values.text("tuning") ?? "", tuningFor(capabilities));
  const bench = new Bench(gpu, defaults, tuning);
  const results: Result[] = [];
  for (const one of cases) {
    const result = await bench.run(one);
    results.push(result);
    process.stderr.write(
      `${results.length}/${cases.length} ${keyOf(result)} ${result.activations}: ${result.ms.toFixed(3)} ms\n`,
    );
  }
  const facts = await platform.facts();
  const file = new URL("../package.json", import.meta.url);
  const { version } = JSON.parse(readFileSync(file, "utf8")) as { version: string };
  const report: Report = {
    adapter: capabilities.name,
    runtime: String(facts["runtime"]),
    version,
    date: new Date().toISOString(),
    timestamps: capabilities.timestamps,
    copyGbps: median(bench.copyRates),
    results,
  };
  if (old && (old.adapter !== report.adapter || old.runtime !== report.runtime))
    process.stderr.write(`compared with another device: ${old.adapter}, ${old.runtime}\n`);
  const json = values.switch("json");
  (json ? process.stderr : process.stdout).write(`${table(report, old)}\n`);
  if (json) process.stdout.write(`${JSON.stringify(report, null, 1)}\n`);
  gpu.dispose();
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
