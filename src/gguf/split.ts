/** Names and keys of models in several files: `NAME-00001-of-00003.gguf`, numbered from 1. */

const suffix = /-(\d{5})-of-(\d{5})(\.gguf)/gi;

/** Keys that each part carries: its number from 0, the number of parts, the tensors of all parts. */
export const splitKeys: {
  readonly no: string;
  readonly count: string;
  readonly tensors: string;
} = { no: "split.no", count: "split.count", tensors: "split.tensors.count" };

/** The file name of part `no` (from 0) of `count`: `stem-00001-of-00003.gguf`. */
export function splitName(stem: string, no: number, count: number): string {
  const digits = (n: number): string => String(n).padStart(5, "0");
  return `${stem}-${digits(no + 1)}-of-${digits(count)}.gguf`;
}

/** What the names of all parts of a model have in common, without folders; undefined where `name` is not that of a part. */
export const stemOf = (name: string): string | undefined =>
  /([^/\\]*)-\d{5}-of-\d{5}\.gguf$/i.exec(name)?.[1];

/**
 * The name of part `no` (from 0), made from the path or URL of another part of the same model;
 * undefined when `name` does not have the form of a part. A query after the name stays.
 */
export function siblingName(name: string, no: number): string | undefined {
  const match = [...name.matchAll(suffix)].at(-1);
  if (!match) return undefined;
  const number = String(no + 1).padStart(5, "0");
  return `${name.slice(0, match.index)}-${number}-of-${match[2]}${match[3]}${name.slice(match.index + match[0].length)}`;
}
