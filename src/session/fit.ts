/** What of a repository fits this device, told by headers alone. */
import { WebggufError } from "../base/errors.ts";
import type { ModelFile } from "../file/types.ts";
import { gpuInstruments } from "../gpu/instruments.ts";
import type { Graph } from "../graph/graph.ts";
import { buildGraph } from "../models/index.ts";
import type { Device } from "./backends.ts";
import { largest } from "./memory.ts";
import { contextFor } from "./model.ts";
import { fastest, memoryOf, openDevice } from "./open.ts";
import { bytesPerToken, mostCommonType, secondsPerToken } from "./probe.ts";
import { closeFile, openFile } from "./source.ts";
import type { FitReport, LoadOptions, ModelSource } from "./types.ts";

/** The device that loading would take, and what was measured on it. */
class Measured {
  readonly device: Device;
  readonly #budget: number;
  #bandwidth: number | undefined;
  /** Seconds a byte, by the type of most weights. */
  readonly #perByte = new Map<string, number>();

  private constructor(device: Device, budget: number) {
    this.device = device;
    this.#budget = budget;
  }

  static async open(graph: Graph, file: ModelFile, options: LoadOptions): Promise<Measured> {
    let device = await openDevice(options, gpuInstruments);
    const contextLength = contextFor(file, options.contextLength);
    if (device.software && (options.device ?? "auto") === "auto")
      device = await fastest(device, graph, file, { ...options, contextLength });
    return new Measured(device, await memoryOf(device));
  }

  /** Of a real GPU the bandwidth of a copy counts; elsewhere a step of matrices of the same type is measured. */
  async tokensPerSecond(
    graph: Graph,
    file: ModelFile,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    const bytes = bytesPerToken(graph, file);
    const { kind, software, instruments } = this.device;
    if (kind === "gpu" && !software && instruments) {
      this.#bandwidth ??= await instruments.copyBandwidth();
      return this.#bandwidth / bytes;
    }
    const type = mostCommonType(file).name;
    let perByte = this.#perByte.get(type);
    if (perByte === undefined) {
      const [seconds] = await secondsPerToken([this.device], graph, file, signal);
      perByte = seconds / bytes;
      this.#perByte.set(type, perByte);
    }
    return 1 / (perByte * bytes);
  }

  report(graph: Graph, file: ModelFile, options: LoadOptions): Omit<FitReport, "reference"> {
    const contextLength = contextFor(file, options.contextLength);
    const total = (context: number): number => {
      const { weights, cache, arena } = this.device.needs(graph, file, {
        ...options,
        contextLength: context,
      });
      return weights + cache + arena;
    };
    let problem: string | undefined;
    const fitsAt = (context: number): boolean => {
      try {
        return total(context) <= this.#budget;
      } catch (error) {
        if (!(error instanceof WebggufError) || error.code !== "device/limit") throw error;
        problem = error.message;
        return false;
      }
    };
    const fits = fitsAt(contextLength);
    const largestContext = fits ? contextLength : largest(contextLength, fitsAt);
    const has = this.#budget === Number.POSITIVE_INFINITY ? {} : { has: this.#budget };
    const needs = problem === undefined ? { needs: total(contextLength) } : {};
    return { fits, contextLength, largestContext, ...needs, ...has, ...(problem && { problem }) };
  }
}

/** A row for each of the models; one that cannot be looked at, or run, says why. */
export async function fitModels(
  candidates: readonly { readonly reference: ModelSource; readonly bytes?: number }[],
  options: LoadOptions,
): Promise<FitReport[]> {
  const reports: FitReport[] = [];
  let measured: Measured | undefined;
  const { onProgress: _, ...quiet } = options;
  try {
    for (const { reference, bytes } of candidates) {
      options.signal?.throwIfAborted();
      const name = String(reference);
      let file: ModelFile | undefined;
      try {
        file = await openFile(reference, {
          ...sourcePart(quiet),
          headerOnly: true,
        });
        const graph = buildGraph(file, {
          contextLength: contextFor(file, options.contextLength),
        });
        measured ??= await Measured.open(graph, file, quiet);
        const report = measured.report(graph, file, quiet);
        const size = bytes ?? file.sources.reduce((sum, one) => sum + one.size, 0);
        const tokensPerSecond =
          report.largestContext > 0
            ? await measured.tokensPerSecond(graph, file, options.signal)
            : undefined;
        const device = measured.device.name;
        reports.push({ reference: name, bytes: size, device, ...report, tokensPerSecond });
      } catch (error) {
        options.signal?.throwIfAborted();
        if (!(error instanceof WebggufError) || candidates.length === 1) throw error;
        const none = { fits: false, contextLength: 0, largestContext: 0 };
        reports.push({ reference: name, bytes, ...none, problem: error.message });
      } finally {
        if (file) await closeFile(file);
      }
    }
  } finally {
    measured?.device.dispose();
  }
  return reports;
}

function sourcePart({ offline, endpoint, token, onNotice, signal }: LoadOptions): LoadOptions {
  return { offline, endpoint, token, onNotice, signal };
}
