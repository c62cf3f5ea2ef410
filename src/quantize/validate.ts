/** Whether numbers are finite: weights before they are quantised, and scales after. */
import { WebggufError } from "../base/errors.ts";
import { quoted } from "../base/text.ts";
import type { QuantType } from "../file/quants.ts";
import { largest } from "./floats.ts";

/** Where a block's 16-bit scales stand; types that are not here have none, or all weights are one. */
const halves: Readonly<Record<string, readonly number[]>> = {
  ...{ F16: [0], Q4_0: [0], Q4_1: [0, 2], Q5_0: [0], Q5_1: [0, 2], Q8_0: [0] },
  ...{ Q2_K: [80, 82], Q3_K: [108], Q4_K: [0, 2], Q5_K: [0, 2], Q6_K: [208] },
  ...{ IQ1_S: [0], IQ2_XXS: [0], IQ2_XS: [0], IQ2_S: [0], IQ3_XXS: [0], IQ3_S: [0] },
  ...{ IQ4_NL: [0], IQ4_XS: [0], TQ1_0: [52], TQ2_0: [64], Q1_0: [0], Q2_0: [0] },
};

/** Throws `model/invalid`, naming the tensor, if a weight is infinite or no number. */
export function checkWeights(tensor: string, x: Float32Array): void {
  for (let i = 0; i < x.length; i++) {
    if (Math.abs(x[i]) <= largest) continue;
    const what = Number.isNaN(x[i]) ? "NaN" : "an infinite number";
    throw new WebggufError(
      "model/invalid",
      `Cannot quantise ${quoted(tensor)}: it holds ${what}; the file is damaged or was trained so`,
      { tensor, actual: x[i] },
    );
  }
}

/** Throws `model/invalid`, naming the tensor, if a scale of the blocks is infinite or no number. */
export function checkBlocks(tensor: string, type: QuantType, blocks: Uint8Array): void {
  const at = halves[type.name] ?? [];
  for (let block = 0; block < blocks.length; block += type.bytes) {
    let finite = at.every((offset) => (blocks[block + offset + 1] & 0x7c) !== 0x7c);
    if (type.name === "IQ1_M")
      finite = ((blocks[block + 55] & 0x70) | ((blocks[block + 53] >> 4) & 12)) !== 0x7c;
    if (type.name === "BF16")
      finite = ((blocks[block + 1] & 0x7f) << 1) + (blocks[block] >> 7) !== 255;
    if (finite) continue;
    throw new WebggufError(
      "model/invalid",
      `Cannot quantise ${quoted(tensor)} to ${type.name}: its weights are too large for 16-bit scales; choose BF16 or F32`,
      { tensor, actual: type.name },
    );
  }
}
