/** A key/value slab on the host: the formats of wgsl/lib/kv-kinds.wgsl, written and read in plain TypeScript. */
import { floatToHalf, halfToFloat } from "../../src/base/half.ts";
import type { CacheSlot } from "../../src/graph/graph.ts";
import type { SlotLayout } from "../../src/kernels/slot.ts";
import {
  type CacheSettings,
  layoutSlot,
  PAGE,
  pagesPerSequence,
} from "../../src/plan/cache-layout.ts";
import { Numbers } from "./run.ts";

export type KvSlot = Extract<CacheSlot, { kind: "kv" }>;

/** NaN as one f32, as two f16, and as a scale. */
export const UNWRITTEN = 0x7fc07fc0;

const halved = (value: number): number => halfToFloat(floatToHalf(value));
const float = new Float32Array(1);
const word = new Uint32Array(float.buffer);
const bitsOf = (value: number): number => {
  float[0] = value;
  return word[0];
};
const floatOf = (bits: number): number => {
  word[0] = bits;
  return float[0];
};

/** Words of 32 elements. */
const wordsOf: Readonly<Record<string, number>> = {
  KV_F32: 32,
  KV_F16: 16,
  KV_Q8_0: 9,
  KV_Q4_0: 5,
};

/** Writes values of a row, as llama.cpp quantises q8_0 and q4_0. */
function encode(kind: string, values: Float32Array, words: Uint32Array): void {
  if (kind === "KV_F32") return words.set(new Uint32Array(values.slice().buffer));
  if (kind === "KV_F16") {
    for (let i = 0; i < values.length; i += 2)
      words[i / 2] = (floatToHalf(values[i]) | (floatToHalf(values[i + 1]) << 16)) >>> 0;
    return;
  }
  for (let block = 0; block * 32 < values.length; block++) {
    const part = values.subarray(32 * block, 32 * block + 32);
    const out = words.subarray(block * wordsOf[kind], (block + 1) * wordsOf[kind]).fill(0);
    const largest = part.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a), 0);
    const scale = kind === "KV_Q8_0" ? Math.abs(largest) / 127 : largest / -8;
    const inverse = scale === 0 ? 0 : 1 / Math.fround(scale);
    out[0] = bitsOf(halved(scale));
    part.forEach((value, i) => {
      if (kind === "KV_Q8_0")
        out[1 + (i >> 2)] |= (Math.round(value * inverse) & 255) << (8 * (i & 3));
      else out[1 + (i >> 3)] |= Math.min(15, Math.floor(value * inverse + 8.5)) << (4 * (i & 7));
    });
  }
}

function decode(kind: string, words: Uint32Array, count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => {
    if (kind === "KV_F32") return floatOf(words[i]);
    if (kind === "KV_F16") return halfToFloat((words[i >> 1] >>> (16 * (i & 1))) & 0xffff);
    const block = words.subarray((i >> 5) * wordsOf[kind]);
    const at = i & 31;
    const q =
      kind === "KV_Q8_0"
        ? (block[1 + (at >> 2)] << (24 - 8 * (at & 3))) >> 24
        : ((block[1 + (at >> 3)] >>> (4 * (at & 7))) & 15) - 8;
    return floatOf(block[0]) * q;
  });
}

/** The slab of a slot with a page table whose pages stand in any order. */
export class Slab {
  readonly layout: SlotLayout;
  readonly pages: Uint32Array<ArrayBuffer>;
  readonly words: Uint32Array<ArrayBuffer>;
  readonly #perSequence: number;

  constructor(slot: KvSlot, options: CacheSettings, seed = 5) {
    this.layout = layoutSlot(slot, 0, options) as SlotLayout;
    this.#perSequence = pagesPerSequence(options.contextLength);
    const numbers = new Numbers(seed);
    const pages = [...new Uint32Array(this.#perSequence * options.maxSequences).keys()];
    for (let i = pages.length - 1; i > 0; i--) {
      const j = numbers.integer(0, i);
      [pages[i], pages[j]] = [pages[j], pages[i]];
    }
    this.pages = Uint32Array.from(pages);
    this.words = new Uint32Array(this.layout.bytes / 4).fill(UNWRITTEN);
  }

  /** The words of a position's keys and values, of this slab or of another one's contents. */
  #row(sequence: number, position: number, words: Uint32Array): [Uint32Array, Uint32Array] {
    const { ring, rowWords, valueWord } = this.layout;
    const page = this.pages[sequence * this.#perSequence + Math.floor(position / PAGE)];
    const row = ring > 0 ? sequence * ring + (position % ring) : page * PAGE + (position % PAGE);
    const at = row * rowWords;
    return [words.subarray(at, at + valueWord), words.subarray(at + valueWord, at + rowWords)];
  }

  #kind(which: "K_KIND" | "V_KIND"): string {
    return this.layout.consts[which];
  }

  write(sequence: number, position: number, keys: Float32Array, values: Float32Array): void {
    const [k, v] = this.#row(sequence, position, this.words);
    encode(this.#kind("K_KIND"), keys, k);
    if (!this.layout.valueIsKeyPrefix) encode(this.#kind("V_KIND"), values, v);
  }

  /** Keys and values of all heads at a position. */
  read(
    sequence: number,
    position: number,
    words: Uint32Array = this.words,
  ): { keys: Float32Array; values: Float32Array } {
    const { heads, keyWidth, valueWidth, valueIsKeyPrefix } = this.layout;
    const [k, v] = this.#row(sequence, position, words);
    const keys = decode(this.#kind("K_KIND"), k, heads * keyWidth);
    if (valueIsKeyPrefix) return { keys, values: keys };
    return { keys, values: decode(this.#kind("V_KIND"), v, heads * valueWidth) };
  }
}
