/** Which file of a repository is meant: llama.cpp's rule (common/download.cpp). Pure. */

/** Words in the names of files that are no models of their own: encoders, statistics, drafts. */
const SIDECARS = ["mmproj", "imatrix", "mtp-", "eagle3-", "dflash-", "dspark-"];

/** What is taken where nothing is asked for, in this order. */
const DEFAULT_QUANTS = ["Q4_K_M", "Q8_0"];

/** Whether a file of a repository is a model, or a part of one. */
export function isModelFile(path: string): boolean {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return name.endsWith(".gguf") && !SIDECARS.some((word) => name.includes(word));
}

/** What a file's name says: what all parts have in common, its number from 1, and how many there are. */
function split(path: string): { stem: string; index: number; count: number } {
  const stem = path.replace(/\.gguf$/, "");
  const parts = /^(.+)-(\d{5})-of-(\d{5})$/i.exec(stem);
  return parts
    ? { stem: parts[1], index: Number(parts[2]), count: Number(parts[3]) }
    : { stem, index: 1, count: 1 };
}

const isFirst = (path: string): boolean => isModelFile(path) && split(path).index === 1;

/**
 * The file that is meant by a quantisation, or by none, out of a repository's files in their order: the first whose
 * path has `QUANT.` or `QUANT-` in it in any case; without one Q4_K_M, then Q8_0, then the first model there is.
 * Of a split model its first part.
 */
export function chooseFile(paths: readonly string[], quant?: string): string | undefined {
  const models = paths.filter(isFirst);
  for (const wanted of quant === undefined ? DEFAULT_QUANTS : [quant]) {
    const low = wanted.toLowerCase();
    const found = models.find((path) =>
      [".", "-"].some((end) => path.toLowerCase().includes(low + end)),
    );
    if (found !== undefined) return found;
  }
  return quant === undefined ? models[0] : undefined;
}

/** All parts of the model that a file belongs to, in order; the file alone if it is not split. */
export function partsOf(paths: readonly string[], path: string): string[] {
  const own = split(path);
  if (own.count === 1) return [path];
  return paths
    .filter((other) => {
      const { stem, count } = split(other);
      return other.endsWith(".gguf") && stem === own.stem && count === own.count;
    })
    .sort((a, b) => split(a).index - split(b).index);
}

/** The first files of all models of a repository. */
export const modelsIn = (paths: readonly string[]): string[] => paths.filter(isFirst);

/** The number of parts by a file's name. */
export const partCount = (path: string): number => split(path).count;

/** Names of quantisations in a repository, for messages: what stands last in the names of its models. */
export function quantsIn(paths: readonly string[]): string[] {
  const found = modelsIn(paths).map((path) => /[-.]([a-z0-9_]+)$/i.exec(split(path).stem)?.[1]);
  return [...new Set(found.filter((one) => one !== undefined))];
}
