/**
 * SentencePiece's precompiled character map: a compact double array over UTF-8 prefixes, followed
 * by the replacement texts (each ends with a zero byte).
 *
 * A 32-bit entry has the base in bits 10–30 (shifted by 8 if bit 9 is set), bit 8 if a replacement
 * ends here, and in bits 0–7 the byte that leads to it; an entry with bit 31 is an offset into the
 * replacements.
 */
import { WebggufError } from "../base/errors.ts";
import type { Metadata } from "../file/metadata.ts";

const key = "tokenizer.ggml.precompiled_charsmap";

/** The map of a file, checked for size when it is read and for bounds when it is walked. */
export class Charsmap {
  readonly #entries: Uint32Array;
  readonly #texts: Uint8Array;
  readonly #file: string;

  private constructor(file: string, entries: Uint32Array, texts: Uint8Array) {
    this.#file = file;
    this.#entries = entries;
    this.#texts = texts;
  }

  /** The file's map; undefined if it has none. */
  static of(metadata: Metadata): Charsmap | undefined {
    if (!metadata.has(key)) return undefined;
    const bytes = Uint8Array.from(metadata.numbers(key));
    const view = new DataView(bytes.buffer);
    const size = bytes.length >= 4 ? view.getUint32(0, true) : 0;
    if (bytes.length < 4 || size + 4 >= bytes.length)
      throw broken(metadata.file, `its table of ${size} bytes does not fit in ${bytes.length}`);
    const entries = new Uint32Array(size >>> 2);
    for (let i = 0; i < entries.length; i++) entries[i] = view.getUint32(4 + 4 * i, true);
    return new Charsmap(metadata.file, entries, bytes.subarray(4 + size));
  }

  #entry(index: number): number {
    if (index >= this.#entries.length) throw broken(this.#file, `entry ${index} is outside it`);
    return this.#entries[index];
  }

  #base(index: number): number {
    const entry = this.#entry(index);
    return ((entry >>> 10) << ((entry & 0x200) >>> 6)) >>> 0;
  }

  /** The replacement of the longest prefix of the text at an offset that has one. */
  longest(text: Uint8Array, at: number): { bytes: Uint8Array; consumed: number } | undefined {
    if (this.#entries.length === 0) return undefined;
    let consumed = 0;
    let offset = 0;
    let node = this.#base(0);
    for (let i = at; i < text.length && text[i] !== 0; i++) {
      node = (node ^ text[i]) >>> 0;
      const entry = this.#entry(node);
      if ((entry & 0x800000ff) >>> 0 !== text[i]) break;
      node = (node ^ this.#base(node)) >>> 0;
      if ((entry & 0x100) !== 0) {
        consumed = i - at + 1;
        offset = this.#entry(node) & 0x7fffffff;
      }
    }
    if (consumed === 0) return undefined;
    const end = this.#texts.indexOf(0, offset);
    if (offset >= this.#texts.length || end < 0)
      throw broken(this.#file, `the replacement at ${offset} has no end`);
    return { bytes: this.#texts.subarray(offset, end), consumed };
  }
}

function broken(file: string, problem: string): WebggufError {
  return new WebggufError(
    "model/invalid",
    `Cannot use metadata key "${key}" of ${file}: ${problem}`,
    { file, key },
  );
}
