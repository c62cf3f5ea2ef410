/** A key/value slab on the host: the formats of wgsl/lib/kv-kinds.wgsl, written and read in plain TypeScript. */
import { floatToHalf, halfToFloat } from "../../src/base/half.ts";
import type { CacheSlot } from "../../src/graph/graph.ts";
import type { SlotLayout } from "../../src/kernels/slot.ts";
import { type CacheSettings, layoutSlot, PAGE } from "../../src/plan/cache-layout.ts";
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

/** Elements in a vec4 of words. */
const perVec4: Readonly<Record<string, number>> = {
  KV_F32: 4,
  KV_F16: 8,
  KV_Q8_0: 16,
  KV_Q4_0: 32,
};

/** The words of one head's elements, and of the scales of its blocks. */
interface Head {
  readonly words: Uint32Array;
  readonly scales: Uint32Array;
}

/** Writes values of a head, as llama.cpp quantises q8_0 and q4_0. */
function encode(kind: string, values: Float32Array, { words, scales }: Head): void {
  words.fill(0);
  if (kind === "KV_F32") return words.set(new Uint32Array(values.slice().buffer));
  if (kind === "KV_F16")
    return values.forEach((value, i) => {
      words[i >> 1] |= floatToHalf(value) << (16 * (i & 1));
    });
  for (let block = 0; block * 32 < values.length; block++) {
    const part = values.subarray(32 * block, 32 * block + 32);
    const out = words.subarray((128 / perVec4[kind]) * block);
    const largest = part.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a), 0);
    const scale = kind === "KV_Q8_0" ? Math.abs(largest) / 127 : largest / -8;
    const inverse = scale === 0 ? 0 : 1 / Math.fround(scale);
    scales[block] = bitsOf(halved(scale));
    part.forEach((value, i) => {
      if (kind === "KV_Q8_0") out[i >> 2] |= (Math.round(value * inverse) & 255) << (8 * (i & 3));
      else out[i >> 3] |= Math.min(15, Math.floor(value * inverse + 8.5)) << (4 * (i & 7));
    });
  }
}

function decode(kind: string, { words, scales }: Head, count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => {
    if (kind === "KV_F32") return floatOf(words[i]);
    if (kind === "KV_F16") return halfToFloat((words[i >> 1] >>> (16 * (i & 1))) & 0xffff);
    const q =
      kind === "KV_Q8_0"
        ? (words[i >> 2] << (24 - 8 * (i & 3))) >> 24
        : ((words[i >> 3] >>> (4 * (i & 7))) & 15) - 8;
    return floatOf(scales[i >> 5]) * q;
  });
}

/** The slab of a slot with a page table whose pages stand in any order. */
export class Slab {
  readonly layout: SlotLayout;
  readonly pages: Uint32Array<ArrayBuffer>;
  readonly words: Uint32Array<ArrayBuffer>;

  constructor(slot: KvSlot, options: CacheSettings, seed = 5) {
    this.layout = layoutSlot(slot, 0, options) as SlotLayout;
    const { consts, rowWords } = this.layout;
    const numbers = new Numbers(seed);
    // Every entry of the table is a page of its own.
    const pages = [...new Uint32Array(consts.TABLE * options.maxSequences).keys()];
    for (let i = pages.length - 1; i > 0; i--) {
      const j = numbers.integer(0, i);
      [pages[i], pages[j]] = [pages[j], pages[i]];
    }
    this.pages = Uint32Array.from(pages);
    this.words = new Uint32Array(pages.length * PAGE * rowWords).fill(UNWRITTEN);
  }

  /** The heads of a position's keys or values, of this slab or of another one's contents. */
  #heads(which: "K" | "V", sequence: number, position: number, words: Uint32Array): Head[] {
    const { ring, rowWords, valueWord, heads, keyWidth, valueWidth, consts } = this.layout;
    const blockOf = Math.floor(position / PAGE) % (ring > 0 ? ring / PAGE : consts.TABLE);
    const page = this.pages[sequence * consts.TABLE + consts.FIRST_PAGE + blockOf];
    const row = page * PAGE + (position % PAGE);
    const width = which === "K" ? keyWidth : valueWidth;
    const kind = this.#kind(`${which}_KIND`);
    const size = 4 * Math.ceil(width / perVec4[kind]);
    const start = row * rowWords + (which === "K" ? 0 : valueWord);
    const blocks = width / 32;
    return Array.from({ length: heads }, (_, head) => ({
      words: words.subarray(start + head * size, start + (head + 1) * size),
      scales: words.subarray(
        start + heads * size + head * blocks,
        start + heads * size + (head + 1) * blocks,
      ),
    }));
  }

  #kind(which: "K_KIND" | "V_KIND"): string {
    return this.layout.consts[which];
  }

  write(sequence: number, position: number, keys: Float32Array, values: Float32Array): void {
    const { keyWidth, valueWidth, valueIsKeyPrefix } = this.layout;
    this.#heads("K", sequence, position, this.words).forEach((head, i) => {
      encode(this.#kind("K_KIND"), keys.subarray(i * keyWidth, (i + 1) * keyWidth), head);
    });
    if (valueIsKeyPrefix) return;
    this.#heads("V", sequence, position, this.words).forEach((head, i) => {
      encode(this.#kind("V_KIND"), values.subarray(i * valueWidth, (i + 1) * valueWidth), head);
    });
  }

  /** Keys and values of all heads at a position. */
  read(
    sequence: number,
    position: number,
    words: Uint32Array = this.words,
  ): { keys: Float32Array; values: Float32Array } {
    const { keyWidth, valueWidth, valueIsKeyPrefix } = this.layout;
    const all = (which: "K" | "V", width: number): Float32Array =>
      Float32Array.from(
        this.#heads(which, sequence, position, words).flatMap((head) => [
          ...decode(this.#kind(`${which}_KIND`), head, width),
        ]),
      );
    const keys = all("K", keyWidth);
    return { keys, values: valueIsKeyPrefix ? keys : all("V", valueWidth) };
  }
}
