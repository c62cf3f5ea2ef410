/** Importance matrices as files, joined, and in figures. */
import { WebggufError } from "../base/errors.ts";
import { quoted } from "../base/text.ts";
import { type QuantType, quantByName } from "../file/quants.ts";
import { ggufBytes } from "../gguf/write.ts";
import { Bytes } from "../gguf/write-bytes.ts";
import { typed } from "../gguf/write-value.ts";
import type { ImportanceEntry, ImportanceFile } from "./importance.ts";

const f = Math.fround;

const sorted = (entries: ImportanceFile["entries"]): [string, ImportanceEntry][] =>
  [...entries].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));

/** Trailing ones are left out, as GGUF files have it. */
const shape = (width: number, matrices: number): number[] =>
  matrices === 1 ? [width] : [width, matrices];

/** The GGUF file that llama-imatrix writes. */
export function importanceGguf(file: ImportanceFile): Promise<Uint8Array<ArrayBuffer>> {
  const type = quantByName("F32") as QuantType;
  const bytes = (values: Float32Array): Uint8Array =>
    new Uint8Array(Float32Array.from(values).buffer);
  return ggufBytes({
    metadata: [
      ["general.type", "imatrix"],
      ["imatrix.datasets", file.datasets],
      ["imatrix.chunk_count", typed("u32", file.chunks)],
      ["imatrix.chunk_size", typed("u32", file.chunkSize)],
    ],
    tensors: sorted(file.entries).flatMap(([name, { sums, counts }]) => [
      {
        ...{ name: `${name}.in_sum2`, type, data: bytes(sums) },
        shape: shape(sums.length / counts.length, counts.length),
      },
      { name: `${name}.counts`, type, shape: shape(1, counts.length), data: bytes(counts) },
    ]),
  });
}

/** The older file: means times the number of chunks. Entries without any input are left out. */
export function importanceDat({
  entries,
  chunks,
  chunkSize,
  datasets,
}: ImportanceFile): Uint8Array {
  const out = new Bytes();
  const name = (text: string): void => {
    const bytes = new TextEncoder().encode(text);
    out.scalar("i32", bytes.length);
    out.raw(bytes);
  };
  const stored = sorted(entries).filter(([, { counts }]) => counts.some((count) => count > 0));
  out.scalar("i32", stored.length);
  for (const [key, { sums, counts }] of stored) {
    name(key);
    const calls = Math.ceil(Math.max(...counts) / (chunkSize || 1));
    out.scalar("i32", calls);
    out.scalar("i32", sums.length);
    const width = sums.length / counts.length;
    sums.forEach((sum, i) => {
      const count = counts[Math.floor(i / width)];
      out.scalar("f32", f((count > 0 ? f(sum / count) : 1) * calls));
    });
  }
  out.scalar("i32", chunks);
  name(datasets.at(-1) ?? "");
  return out.done();
}

/**
 * Several matrices as one: sums and counts are added. Those that do not say how many tokens a chunk has, as `.dat` files,
 * count chunks of `chunkSize`. One count for all matrices of a tensor counts for each of them.
 */
export function joinImportance(
  files: readonly ImportanceFile[],
  chunkSize: number,
): ImportanceFile {
  const entries = new Map<string, { sums: Float32Array; counts: Float32Array }>();
  for (const file of files) {
    const factor = file.chunkSize > 0 ? 1 : chunkSize;
    for (const [name, own] of file.entries) {
      const sums = own.sums.map((sum) => sum * factor);
      const counts = own.counts.map((count) => count * factor);
      const old = entries.get(name);
      if (!old) {
        entries.set(name, { sums, counts });
        continue;
      }
      const most = Math.max(old.counts.length, counts.length);
      const fits = [old.counts, counts].every(({ length }) => length === most || length === 1);
      if (old.sums.length !== sums.length || !fits)
        throw new WebggufError(
          "input/invalid",
          `Cannot join importance of ${quoted(name)}: ${old.sums.length} columns and ${sums.length}; give matrices of one model`,
          { tensor: name, expected: old.sums.length, actual: sums.length },
        );
      entries.set(name, {
        sums: old.sums.map((sum, i) => sum + sums[i]),
        counts: Float32Array.from(
          { length: most },
          (_, i) => (old.counts[i] ?? old.counts[0]) + (counts[i] ?? counts[0]),
        ),
      });
    }
  }
  let longest = 0;
  for (const { counts } of entries.values()) longest = Math.max(longest, ...counts);
  return {
    entries,
    datasets: files.flatMap((file) => file.datasets),
    chunks: Math.floor(longest / chunkSize),
    chunkSize,
  };
}

/** Figures of a tensor's mean squares. */
export interface ImportanceStatistics {
  readonly tensor: string;
  /** Of the means of squares: their number, sum, mean, extremes and standard deviation. */
  readonly elements: number;
  readonly sum: number;
  readonly mean: number;
  readonly min: number;
  readonly max: number;
  readonly deviation: number;
  /** Bits of the distribution that they are shares of. */
  readonly entropy: number;
  /** Share of those further than a standard deviation from the mean. */
  readonly outliers: number;
  /** Cosine of the angle to the same tensor of the layer before; undefined where there is none. */
  readonly cosine?: number;
}

function meansOf({ sums, counts }: ImportanceEntry): number[] {
  const width = sums.length / counts.length;
  return Array.from(sums, (sum, i) => sum / counts[Math.floor(i / width)]).filter(Number.isFinite);
}

/** The tensors by the sum of their means, largest first. */
export function importanceStatistics({ entries }: ImportanceFile): ImportanceStatistics[] {
  const all = new Map([...entries].map(([name, entry]) => [name, meansOf(entry)]));
  const rows = [...all].map(([tensor, means]): ImportanceStatistics => {
    const elements = means.length;
    const sum = means.reduce((before, value) => before + value, 0);
    const mean = sum / elements;
    const squares = means.reduce((before, value) => before + (value - mean) ** 2, 0);
    const deviation = Math.sqrt(squares / Math.max(1, elements - 1));
    const bits = (share: number): number => (share > 0 ? -share * Math.log2(share) : 0);
    const far = means.filter((value) => Math.abs(value - mean) > deviation).length;
    const before = all.get(tensor.replace(/blk\.(\d+)\./, (_, no) => `blk.${no - 1}.`));
    const dot = (a: readonly number[], b: readonly number[]): number =>
      a.reduce((total, value, i) => total + value * b[i], 0);
    const compared = before && before !== means && before.length === elements;
    return {
      ...{ tensor, elements, sum, mean, deviation },
      min: means.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY),
      max: means.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY),
      entropy: sum > 0 ? means.reduce((total, value) => total + bits(value / sum), 0) : 0,
      outliers: far / elements,
      ...(compared && {
        cosine: dot(means, before) / Math.sqrt(dot(means, means) * dot(before, before)),
      }),
    };
  });
  return rows.sort((a, b) => b.sum - a.sum);
}
