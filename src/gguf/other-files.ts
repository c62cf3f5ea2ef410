/** What a file is that is no GGUF file, by its first bytes. */

const page = "a web page: use the file's own download address";
const archive = "a compressed archive: unpack it";
const convert = "convert the model to GGUF with llama.cpp's converter";
const before = `in a format from before GGUF: ${convert}`;
const session = "a saved session of llama.cpp, not a model";

/** Beginnings, letters in any case. Numbers of four letters stand backwards in little-endian files. */
const beginnings: readonly (readonly [start: string, kind: string])[] = [
  ["version ht", "a Git LFS pointer: run `git lfs pull`"],
  ["<!doctype", page],
  ["<html", page],
  ["<?xml", page],
  ["<error", page],
  ["entry not found", page],
  ["lmgg", before],
  ["fmgg", before],
  ["tjgg", before],
  ["algg", `an adapter ${before}`],
  ["nsgg", session],
  ["qsgg", session],
  ["pk\x03\x04", `a zip archive or a PyTorch file: unpack it, or ${convert}`],
  ["\x80\x02", `a PyTorch file: ${convert}`],
  ["\x1f\x8b", archive],
  ["\x28\xb5\x2f\xfd", archive],
  ["\xfd7zxz", archive],
  ["7z\xbc\xaf", archive],
  ["bzh", archive],
  ["\0\0\0\0\0\0\0\0", "empty at its start, as a download that was broken off: fetch it again"],
];

/** Bytes that {@link otherFile} looks at. */
export const lookedAt = 32;

/** The kind of file that begins with these bytes, given as one letter a byte, if it is a known one. */
export function otherFile(start: string): string | undefined {
  // The length of a JSON header, and its first key.
  if (/^\0{3}\{\s*"/.test(start.slice(5))) return `a safetensors file: ${convert}`;
  const text = start.replace(/^(\xef\xbb\xbf)?\s*/, "").toLowerCase();
  return beginnings.find(([beginning]) => text.startsWith(beginning))?.[1];
}
