/** Runs the cases of a reference folder, in any runtime; main.ts and the browser page call it. */
import { platform } from "#platform";
import { WebggufError } from "../../src/base/errors.ts";
import { openCpu, plainCpu } from "../../src/cpu/open.ts";
import { createGpuExecutor } from "../../src/gpu/open.ts";
import type { CacheType } from "../../src/graph/settings.ts";
import type { Gpu } from "../../src/platform/types.ts";
import { readArchIndex, runArch } from "./archs.ts";
import { type Case, ifThere, type MakeExecutor, type Reader } from "./case.ts";
import { chatCases } from "./chat.ts";
import { quantizeCases } from "./quantize.ts";
import { quantCases } from "./quants.ts";
import { templateCases } from "./templates.ts";
import { samplingCases, tokenizerCases } from "./text.ts";
import { tinyModelCases } from "./tiny-model.ts";

export interface Settings {
  /** Undefined: the GPU where there is an adapter, else the CPU path. */
  readonly device?: "gpu" | "cpu";
  /** Names or prefixes of names, without case; empty = all. */
  readonly only: readonly string[];
  readonly cacheTypeK: CacheType;
  readonly cacheTypeV: CacheType;
  /** GPU only, and only with packed products in the language; bounds are then those of int8. */
  readonly int8: "on" | "off";
  /** Fusions to leave out, GPU only. */
  readonly noFuse?: readonly string[];
  /** GPU only; undefined: as measured. */
  readonly stepsInFlight?: number;
}

/** What `--json` prints, one object a line, but for `known`. */
export interface Row {
  readonly name: string;
  readonly metric: string;
  readonly value: number | null;
  readonly bound: number | null;
  readonly pass: boolean;
  readonly runtime: string;
  /** What computed it: the adapter, "CPU (WebAssembly SIMD)", or "none" for a case of text only. */
  readonly adapter: string;
  /** Why it does not pass, where a table of exceptions says so; its metric ends with it as well. */
  readonly known?: string;
}

export interface Readers {
  readonly reference: Reader;
  readonly tinyModel: Reader;
}

/**
 * Yields a row for each figure of each case. A case that cannot be run is a row `unsupported` that
 * does not pass; `onProblem` is told why.
 */
export async function* conformance(
  readers: Readers,
  settings: Settings,
  onProblem: (text: string) => void,
): AsyncGenerator<Row> {
  const facts = await platform.facts();
  const runtime = String(facts["runtime"] ?? platform.runtime);
  const gpu = await openGpu(settings.device);
  const { cacheTypeK, cacheTypeV, noFuse, stepsInFlight } = settings;
  const int8 = gpu?.capabilities.packedDot ? settings.int8 : "off";
  const cpu = await openCpu();
  let adapter = "none";
  const make: MakeExecutor = async (graph, file, options) => {
    const executor = gpu
      ? await createGpuExecutor(graph, file, gpu, {
          ...options,
          ...{ cacheTypeK, cacheTypeV, int8, noFuse, stepsInFlight },
        })
      : await cpu.create(graph, file, {
          ...options,
          ...{ cacheTypeK, cacheTypeV },
        });
    adapter = executor.adapter;
    return executor;
  };
  const device = gpu ? "gpu" : "cpu";
  const cache = cacheTypeK === "f32" && cacheTypeV === "f32" ? "f32" : "f16";
  const precision = int8 === "on" ? "int8" : cache;
  const products = gpu || cpu.name === plainCpu.name ? undefined : 1e-7;
  try {
    const cases = select(
      await allCases(readers, {
        ...{ device, cacheTypeK, cacheTypeV, contextLength: 512 },
        ...(gpu && { noFuse, stepsInFlight }),
      }),
      settings.only,
    );
    for (const one of cases) {
      adapter = gpu?.capabilities.name ?? cpu.name;
      const common = { name: one.name, runtime };
      try {
        for (const outcome of await one.run({ make, device, precision, products }))
          yield { ...common, ...outcome, adapter: one.computes ? adapter : "none" };
      } catch (error) {
        onProblem(`${one.name}: ${error instanceof Error ? error.message : String(error)}`);
        yield {
          ...common,
          // A device that fails is another matter than a build that cannot.
          metric:
            error instanceof WebggufError && error.code.startsWith("device/")
              ? "error"
              : "unsupported",
          value: null,
          bound: null,
          pass: false,
          adapter: one.computes ? adapter : "none",
        };
      }
    }
  } finally {
    gpu?.dispose();
  }
}

async function openGpu(device: Settings["device"]): Promise<Gpu | undefined> {
  if (device === "cpu") return undefined;
  try {
    return await platform.openGpu();
  } catch (error) {
    const none = error instanceof WebggufError && error.code === "device/no-adapter";
    if (none && device === undefined) return undefined;
    throw error;
  }
}

async function allCases(
  { reference, tinyModel }: Readers,
  load: Parameters<typeof tinyModelCases>[1],
): Promise<Case[]> {
  return [
    ...(await archCases(reference)),
    ...(await quantCases(reference)),
    ...(await quantizeCases(reference, tinyModel)),
    ...(await tokenizerCases(reference)),
    ...(await templateCases(reference)),
    ...(await chatCases(reference)),
    ...(await samplingCases(reference)),
    ...(await tinyModelCases(tinyModel, load)),
  ];
}

/** Only what is there: an index may list more than a folder holds. */
async function archCases(reader: Reader): Promise<Case[]> {
  const cases: Case[] = [];
  for (const [name, entry] of await readArchIndex(reader)) {
    const folder = name.slice(0, name.lastIndexOf("/"));
    if (!(await ifThere(reader(`${folder}/${entry.file}`)))) continue;
    cases.push({
      name,
      computes: true,
      run: ({ make, precision }) => runArch(reader, name, make, { precision }),
    });
  }
  return cases;
}

/**
 * A full name stands for itself, a folder's name for all below it, anything else for all names that
 * begin so; a folder may be left out.
 */
export function select<T extends { readonly name: string }>(
  cases: readonly T[],
  only: readonly string[],
): T[] {
  if (only.length === 0) return [...cases];
  const chosen = new Set<T>();
  for (const item of only) {
    const wanted = item.toLowerCase();
    const spellings = ({ name }: T): string[] => {
      const whole = name.toLowerCase();
      return [whole, whole.slice(whole.indexOf("/") + 1)];
    };
    const exact = cases.filter((one) =>
      spellings(one).some((s) => s === wanted || s.startsWith(`${wanted}/`)),
    );
    const found =
      exact.length > 0
        ? exact
        : cases.filter((one) => spellings(one).some((s) => s.startsWith(wanted)));
    for (const one of found) chosen.add(one);
  }
  return cases.filter((one) => chosen.has(one));
}
