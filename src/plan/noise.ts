/** Small random keys and values in the layout of a slab: a full cache for measuring, without a prefill. Pure. */
import { floatToHalf } from "../base/half.ts";
import type { SlotLayout } from "../kernels/slot.ts";

/** The slab's words for `rows` rows; every value lies between −1 and 1 whatever the type. */
export function noiseRows(slot: SlotLayout, rows: number): Uint32Array<ArrayBuffer> {
  const { rowWords, valueWord, valueIsKeyPrefix, keyScales, valueScales } = slot;
  const words = new Uint32Array(rows * rowWords);
  const [typeK, typeV = typeK] = slot.typeName.split("/");
  const random = generator(0x9e3779b9);
  for (let row = 0; row < rows; row++) {
    const part = (from: number, to: number): Uint32Array =>
      words.subarray(row * rowWords + from, row * rowWords + to);
    fill(part(0, keyScales), part(keyScales, valueWord), typeK, random);
    if (!valueIsKeyPrefix)
      fill(part(valueWord, valueScales), part(valueScales, rowWords), typeV, random);
  }
  return words;
}

/** 32 random bits a call (xorshift; Marsaglia 2003). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/** Elements and scales as lib/kv-kinds.wgsl has them. */
function fill(words: Uint32Array, scales: Uint32Array, type: string, random: () => number): void {
  const float = new Float32Array(1);
  const bits = new Uint32Array(float.buffer);
  const bitsOf = (value: number): number => {
    float[0] = value;
    return bits[0];
  };
  const small = (): number => random() / 2 ** 31 - 1;
  const halves = (): number => floatToHalf(small()) | (floatToHalf(small()) << 16);
  for (let i = 0; i < words.length; i++)
    words[i] = type === "f32" ? bitsOf(small()) : type === "f16" ? halves() : random();
  scales.fill(bitsOf(type === "q8_0" ? 1 / 128 : 1 / 8));
}
