/** Small random keys and values in the layout of a slab: a full cache for measuring, without a prefill. Pure. */
import { floatToHalf } from "../base/half.ts";
import type { SlotLayout } from "../kernels/slot.ts";

/** The slab's words for `rows` rows; every value lies between −1 and 1 whatever the type. */
export function noiseRows(slot: SlotLayout, rows: number): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(rows * slot.rowWords);
  const [typeK, typeV = typeK] = slot.typeName.split("/");
  const random = generator(0x9e3779b9);
  for (let row = 0; row < rows; row++) {
    const from = row * slot.rowWords;
    const end = from + slot.rowWords;
    fill(words.subarray(from, slot.valueIsKeyPrefix ? end : from + slot.valueWord), typeK, random);
    if (!slot.valueIsKeyPrefix) fill(words.subarray(from + slot.valueWord, end), typeV, random);
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

/** Blocks as lib/kv-kinds.wgsl has them: a word of scale, then whole words of integers. */
function fill(words: Uint32Array, type: string, random: () => number): void {
  const float = new Float32Array(1);
  const bits = new Uint32Array(float.buffer);
  const small = (): number => random() / 2 ** 31 - 1;
  const scale = (value: number): number => {
    float[0] = value;
    return bits[0];
  };
  for (let i = 0; i < words.length; i++) {
    if (type === "f32") words[i] = scale(small());
    else if (type === "f16") words[i] = floatToHalf(small()) | (floatToHalf(small()) << 16);
    else if (type === "q8_0") words[i] = i % 9 === 0 ? scale(1 / 128) : random();
    else words[i] = i % 5 === 0 ? scale(1 / 8) : random();
  }
}
