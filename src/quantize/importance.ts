/** Importance matrices, as llama-imatrix writes them: GGUF files and the older `.dat`. */
import { WebggufError } from "../base/errors.ts";
import type { ByteSource } from "../base/source.ts";
import { quoted } from "../base/text.ts";
import { readGguf } from "../gguf/read.ts";

const f = Math.fround;

/** What is known of one tensor's inputs. */
export interface ImportanceEntry {
  /** Sums of squares, a row length for each matrix. */
  readonly sums: Float32Array;
  /** How many inputs were summed; one number for each matrix, or one for all. */
  readonly counts: Float32Array;
}

export interface ImportanceFile {
  readonly entries: ReadonlyMap<string, ImportanceEntry>;
  /** Names of the texts that it was computed on. */
  readonly datasets: readonly string[];
  /** Chunks of text that it was computed on. */
  readonly chunks: number;
  /** Tokens of a chunk; 0 where the file does not say, as a `.dat`, whose counts are chunks then. */
  readonly chunkSize: number;
}

/** Weights of a file's tensors, by name: one a column, for each matrix. */
export interface Importance {
  readonly values: ReadonlyMap<string, Float32Array>;
  readonly datasets: readonly string[];
  readonly chunks: number;
}

const broken = (source: ByteSource, problem: string, details = {}): WebggufError =>
  new WebggufError("gguf/malformed", `Cannot read ${source.name}: ${problem}`, {
    file: source.name,
    ...details,
  });

/** Reads an importance matrix of either kind. */
export async function readImportance(
  source: ByteSource,
  signal?: AbortSignal,
): Promise<ImportanceFile> {
  const start = await source.read(0, Math.min(4, source.size), signal);
  const isGguf = start.length === 4 && String.fromCharCode(...start) === "GGUF";
  const file = isGguf ? await readAsGguf(source, signal) : await readAsDat(source, signal);
  if (file.entries.size === 0) throw broken(source, "it holds no importance");
  for (const [name, { sums, counts }] of file.entries) {
    if (sums.length === 0 || counts.length === 0 || sums.length % counts.length !== 0)
      throw broken(source, `sums and counts of ${quoted(name)} do not fit`, { tensor: name });
    if (!sums.every(Number.isFinite) || !counts.every(Number.isFinite))
      throw broken(source, `importance of ${quoted(name)} is not finite`, { tensor: name });
  }
  return file;
}

const sumsEnding = ".in_sum2";
const countsEnding = ".counts";

async function readAsGguf(source: ByteSource, signal?: AbortSignal): Promise<ImportanceFile> {
  const { metadata, tensors } = await readGguf(source, { signal });
  const floats = async (name: string): Promise<Float32Array> => {
    const tensor = tensors.get(name);
    if (tensor?.type.name !== "F32")
      throw broken(source, `the tensor ${quoted(name)} is missing, or not F32`, { tensor: name });
    return new Float32Array(
      (await source.read(tensor.offset, tensor.bytes, signal)).slice().buffer,
    );
  };
  const entries = new Map<string, ImportanceEntry>();
  for (const ended of tensors.keys()) {
    if (!ended.endsWith(sumsEnding)) continue;
    const name = ended.slice(0, -sumsEnding.length);
    entries.set(name, { sums: await floats(ended), counts: await floats(name + countsEnding) });
  }
  return {
    entries,
    datasets: metadata.strings("imatrix.datasets", []),
    chunks: metadata.integer("imatrix.chunk_count", 0),
    chunkSize: metadata.integer("imatrix.chunk_size", 0),
  };
}

/** int32 entries; each int32 length and name, int32 chunks, int32 count and floats; int32 chunks; a text's name. */
async function readAsDat(source: ByteSource, signal?: AbortSignal): Promise<ImportanceFile> {
  const bytes = await source.read(0, source.size, signal);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const take = (count: number): number => {
    if (count < 0 || at + count > bytes.length)
      throw broken(source, "it is no importance matrix, or ends too early", { offset: at });
    at += count;
    return at - count;
  };
  const integer = (): number => view.getInt32(take(4), true);
  const name = (): string => {
    const length = integer();
    return new TextDecoder().decode(bytes.subarray(take(length), at));
  };
  const entries = new Map<string, ImportanceEntry>();
  for (let left = integer(); left > 0; left--) {
    const key = name();
    const counts = Float32Array.of(integer());
    const count = integer();
    const from = take(4 * Math.max(0, count));
    const sums = Float32Array.from({ length: Math.max(0, count) }, (_, i) =>
      view.getFloat32(from + 4 * i, true),
    );
    entries.set(key, { sums, counts });
  }
  const more = at < bytes.length;
  const chunks = more ? integer() : 0;
  const datasets = at < bytes.length ? [name()] : [];
  return { entries, datasets, chunks, chunkSize: 0 };
}

/** Weights for quantising: means of the squares, and 1 for matrices that nothing came to. */
export function importanceOf(
  { entries, datasets, chunks }: ImportanceFile,
  keep: (name: string) => boolean = () => true,
): Importance {
  const values = new Map<string, Float32Array>();
  for (const [name, { sums, counts }] of entries) {
    if (!keep(name)) continue;
    const width = sums.length / counts.length;
    values.set(
      name,
      sums.map((sum, i) => {
        const count = counts[Math.floor(i / width)];
        return count > 0 ? f(sum / count) : 1;
      }),
    );
  }
  return { values, datasets, chunks };
}
