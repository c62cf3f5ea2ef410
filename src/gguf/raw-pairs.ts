/** The key/value pairs of a GGUF file as they are stored, to be written again without a change. */
import type { ByteSource } from "../base/source.ts";
import { arrayId, scalarById, stringId } from "./values.ts";
import type { RawValue } from "./write-value.ts";

/**
 * Reads the pairs of a file whose header has been read and checked; `headerBytes` is where its tensor data begins.
 * Undefined where the source is no GGUF file.
 */
export async function readRawPairs(
  source: ByteSource,
  headerBytes: number,
  signal?: AbortSignal,
): Promise<[string, RawValue][] | undefined> {
  if (headerBytes < 24) return undefined;
  const bytes = await source.read(0, headerBytes, signal);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== 0x46554747) return undefined;
  const length = (at: number): number => Number(view.getBigUint64(at, true));
  const text = new TextDecoder();
  const pairs: [string, RawValue][] = [];
  let at = 24;
  for (let left = length(16); left > 0; left--) {
    const keyEnd = at + 8 + length(at);
    const key = text.decode(bytes.subarray(at + 8, keyEnd));
    const id = view.getUint32(keyEnd, true);
    const start = keyEnd + 4;
    at = start;
    if (id === arrayId) {
      const element = scalarById(view.getUint32(at, true));
      const count = length(at + 4);
      at += 12;
      if (element) at += count * element.bytes;
      else for (let i = 0; i < count; i++) at += 8 + length(at);
    } else if (id === stringId) at += 8 + length(at);
    else at += scalarById(id)?.bytes ?? 0;
    pairs.push([key, { id, raw: bytes.subarray(start, at) }]);
  }
  return pairs;
}
