/**
 * Random tensor data of any type, written as blocks: random codes, and scales that give the weights a
 * standard deviation near 0.02 and a mean near 0, so that a deep model's values stay finite.
 */
import { floatToHalf } from "../src/base/half.ts";
import { dequantize } from "../src/file/decode/index.ts";
import type { QuantType } from "../src/file/quants.ts";

const sigma = 0.02;

/** xorshift32: a word at a time, the same everywhere. */
export function random(seed: number): () => number {
  let state = (seed ^ 0x9e3779b9) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/** FNV-1a, so that each tensor has numbers of its own. */
export function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}

/** Where a type keeps its 16-bit scale, and for types with a minimum where that is and its ratio to the scale. */
interface Scales {
  readonly at: number;
  readonly minimum?: { readonly at: number; readonly ratio: number };
}

// The ratios put the mean at 0: dmin · E[m] = d · E[s] · E[q] for uniform random bits.
const scales: Readonly<Record<string, Scales>> = {
  Q4_0: { at: 0 },
  Q4_1: { at: 0, minimum: { at: 2, ratio: -7.5 } },
  Q5_0: { at: 0 },
  Q5_1: { at: 0, minimum: { at: 2, ratio: -15.5 } },
  Q8_0: { at: 0 },
  Q2_K: { at: 80, minimum: { at: 82, ratio: 1.5 } },
  Q3_K: { at: 108 },
  Q4_K: { at: 0, minimum: { at: 2, ratio: 7.5 } },
  Q5_K: { at: 0, minimum: { at: 2, ratio: 15.5 } },
  Q6_K: { at: 208 },
  IQ1_S: { at: 0 },
  IQ2_XXS: { at: 0 },
  IQ2_XS: { at: 0 },
  IQ2_S: { at: 0 },
  IQ3_XXS: { at: 0 },
  IQ3_S: { at: 0 },
  IQ4_NL: { at: 0 },
  IQ4_XS: { at: 0 },
  TQ1_0: { at: 52 },
  TQ2_0: { at: 64 },
  Q1_0: { at: 0 },
  Q2_0: { at: 0 },
};

type Patch = (bytes: Uint8Array, at: number) => void;

function putHalf(bytes: Uint8Array, at: number, value: number): void {
  const half = floatToHalf(value);
  bytes[at] = half & 255;
  bytes[at + 1] = half >> 8;
}

/** Puts the scale fields of one block; `d` is the type's outer scale. */
function patchOf(type: QuantType, d: number): Patch {
  const place = scales[type.name];
  if (place)
    return (bytes, at) => {
      putHalf(bytes, at + place.at, d);
      if (place.minimum) putHalf(bytes, at + place.minimum.at, d * place.minimum.ratio);
    };
  if (type.name === "MXFP4")
    return (bytes, at) => {
      bytes[at] = 128 + Math.round(Math.log2(d));
    };
  if (type.name === "NVFP4")
    return (bytes, at) => {
      // Scales below 2^-6 are whole multiples of 2^-9, halved by the format.
      bytes.fill(Math.max(1, Math.round(d * 2 ** 10)), at, at + 4);
    };
  if (type.name === "IQ1_M")
    return (bytes, at) => {
      const half = floatToHalf(d);
      for (let i = 0; i < 4; i++) {
        const byte = at + 49 + 2 * i;
        bytes[byte] = (bytes[byte] & 15) | (((half >> (4 * i)) & 15) << 4);
      }
    };
  throw new Error(`No random blocks for ${type.name}`);
}

function fillWords(bytes: Uint8Array<ArrayBuffer>, next: () => number): void {
  const words = new Uint32Array(bytes.buffer, 0, bytes.length >> 2);
  for (let i = 0; i < words.length; i++) words[i] = next();
}

function fillBlocks(
  bytes: Uint8Array<ArrayBuffer>,
  type: QuantType,
  d: number,
  next: () => number,
) {
  fillWords(bytes, next);
  const patch = patchOf(type, d);
  for (let at = 0; at + type.bytes <= bytes.length; at += type.bytes) patch(bytes, at);
}

const outerScales = new Map<string, number>();

/** The outer scale at which random codes of a type have the wanted deviation, found by decoding some. */
function outerScale(type: QuantType): number {
  const known = outerScales.get(type.name);
  if (known !== undefined) return known;
  const trial = 2 ** -7;
  const blocks = 256;
  const bytes = new Uint8Array(blocks * type.bytes);
  fillBlocks(bytes, type, trial, random(hash(type.name)));
  const out = new Float32Array(blocks * type.elements);
  dequantize(type, bytes, out, out.length);
  const square = out.reduce((sum, value) => sum + value * value, 0) / out.length;
  const found = (trial * sigma) / Math.sqrt(square);
  outerScales.set(type.name, found);
  return found;
}

/** A uniform number with the wanted deviation. */
const uniform = (word: number): number => (word / 2 ** 32 - 0.5) * sigma * Math.sqrt(12);

const floatView = new Float32Array(1);
const bitView = new Uint32Array(floatView.buffer);

/** The bit pattern of the bfloat16 nearest to a finite number (ties to even). */
function floatToBfloat(value: number): number {
  floatView[0] = value;
  const bits = bitView[0];
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

/** Fills a whole number of blocks of `type` with random weights. */
export function fillRandom(
  bytes: Uint8Array<ArrayBuffer>,
  type: QuantType,
  next: () => number,
): void {
  if (type.name === "F32") {
    const floats = new Float32Array(bytes.buffer, 0, bytes.length >> 2);
    for (let i = 0; i < floats.length; i++) floats[i] = uniform(next());
  } else if (type.name === "F16" || type.name === "BF16") {
    const narrow = type.name === "F16" ? floatToHalf : floatToBfloat;
    const halves = new Uint16Array(bytes.buffer, 0, bytes.length >> 1);
    for (let i = 0; i < halves.length; i++) halves[i] = narrow(uniform(next()));
  } else {
    fillBlocks(bytes, type, outerScale(type), next);
  }
}

/** `elements` random weights of `type` in pieces of about 1 MiB; a piece is overwritten by the next. */
export function* randomWeights(
  type: QuantType,
  elements: number,
  seed: number,
): Generator<Uint8Array<ArrayBuffer>> {
  const next = random(seed);
  const blocks = elements / type.elements;
  // A whole number of groups of blocks, and of 4 bytes so that words and blocks end together.
  const most = Math.max(16, Math.floor((1 << 20) / type.bytes / 16) * 16);
  const piece = new Uint8Array(Math.ceil((Math.min(most, blocks) * type.bytes) / 4) * 4);
  for (let done = 0; done < blocks; done += most) {
    fillRandom(piece, type, next);
    yield piece.subarray(0, Math.min(most, blocks - done) * type.bytes);
  }
}
