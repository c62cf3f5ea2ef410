/** Measures which shapes of the linear kernels are fastest on a device: what plan/tuning.ts can only estimate. */
import { WebggufError } from "../base/errors.ts";
import { callback, checkOptions, type Rules, signal, text } from "../base/options.ts";
import { quoted } from "../base/text.ts";
import { quantByName } from "../file/quants.ts";
import { gpuInstruments } from "../gpu/instruments.ts";
import { tuningFor } from "../plan/tuning.ts";
import type { DeviceTuning, Tuning } from "../plan/tuning-types.ts";
import { openDevice } from "../session/open.ts";
import { matrixChain, PROBE_OPTIONS, type ProbeModel, secondsPerStep } from "../session/probe.ts";

export interface TuneOptions {
  /** (Part of) the adapter's name. @default the one that models are loaded on */
  readonly device?: string;
  /** Tensor type that the kernels read: that of most of your model's weights. @default "Q4_K" */
  readonly type?: string;
  /** Called with each candidate: what it changes, and the milliseconds of a token or, for `tile`, of a prompt of 64. */
  readonly onTried?: (candidate: Partial<Tuning>, milliseconds: number) => void;
  readonly signal?: AbortSignal;
}

const rules: Rules<TuneOptions> = { device: text, type: text, onTried: callback, signal };

/** Rounds over all candidates; the best of each counts, because other work on the machine only adds time. */
const ROUNDS = 3;
/** A candidate replaces the usual choice where it takes less than this share of its time. */
const GAIN = 0.95;

/**
 * Measures the candidates on the device for some seconds. Keep the result, which is plain data, and give it to
 * {@link LoadOptions.tuning}: it counts on the adapter that it was measured on, and changes speed alone.
 *
 * Errors: `device/no-adapter` without a GPU, `input/invalid` for an unknown type.
 */
export async function tuneDevice(options: TuneOptions = {}): Promise<DeviceTuning> {
  checkOptions(options, rules);
  const { device, signal } = options;
  const type = quantByName(options.type ?? "Q4_K");
  if (!type)
    throw new WebggufError(
      "input/invalid",
      `Cannot tune for a tensor type: there is none called ${quoted(String(options.type))}; give a name such as Q4_K`,
      { actual: options.type },
    );
  const gpu = await openDevice({ device: device ?? "gpu" }, gpuInstruments);
  try {
    if (!gpu.instruments)
      throw new WebggufError(
        "device/no-adapter",
        "Cannot tune the CPU path: kernels run on GPUs alone; name an adapter",
      );
    const { capabilities } = gpu.instruments;
    const usual = tuningFor(capabilities);
    // Large enough to outlast a launch on a GPU, small enough to end soon on a software adapter.
    const model = capabilities.software
      ? matrixChain(type, 512, 1024, 2)
      : matrixChain(type, 4096, 4096, 24);
    const burst = capabilities.software ? 1 : 8;

    /** The fastest candidate; the first is what is used anyway. */
    const best = async (
      candidates: readonly Partial<Tuning>[],
      measure: (tuning: Tuning) => Promise<number>,
    ): Promise<Partial<Tuning>> => {
      const seconds = candidates.map(() => Number.POSITIVE_INFINITY);
      for (let round = 0; round < ROUNDS; round++)
        for (const [i, candidate] of candidates.entries()) {
          signal?.throwIfAborted();
          seconds[i] = Math.min(seconds[i], await measure({ ...usual, ...candidate }));
        }
      candidates.forEach((candidate, i) => options.onTried?.(candidate, 1000 * seconds[i]));
      const least = Math.min(...seconds);
      return least < GAIN * seconds[0] ? candidates[seconds.indexOf(least)] : candidates[0];
    };
    const run = (tuning: Tuning, rows: number, int8: "on" | "off"): Promise<number> => {
      const chosen = [{ adapter: capabilities.name, ...tuning }];
      const make = ({ graph, file }: ProbeModel) =>
        gpu.load(graph, file, { ...PROBE_OPTIONS, chunk: rows, tuning: chosen, int8 }, { signal });
      return secondsPerStep(make, model, signal, rows, rows === 1 ? burst : 1);
    };

    const { threads, lanes, weightRows, batchWeightRows, tile } = usual;
    const spread = [1, 4, 8, 16, 32, 64].flatMap((lanes) =>
      [2, 4].map((weightRows) => ({ threads, lanes, weightRows })),
    );
    const own = { threads, lanes, weightRows };
    const few = await best([own, ...spread], (tuning) => run(tuning, 1, "off"));
    const batch = await best(
      [{ batchWeightRows }, { batchWeightRows: batchWeightRows === 2 ? 4 : 2 }],
      (tuning) => run({ ...tuning, ...few }, 4, "off"),
    );
    const many = await best([{ tile }, { tile: tile === 32 ? 64 : 32 }], (tuning) =>
      run(tuning, 64, "off"),
    );
    const bytes = capabilities.packedDot
      ? await best([{ int8: false }, { int8: true }], (tuning) =>
          run({ ...tuning, ...few }, 1, tuning.int8 ? "on" : "off"),
        )
      : { int8: false };
    return { adapter: capabilities.name, ...few, ...batch, ...many, ...bytes };
  } finally {
    gpu.dispose();
  }
}
