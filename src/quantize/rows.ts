/** Floats to blocks: one function a type, byte for byte llama.cpp's built without fused operations. */
import { WebggufError } from "../base/errors.ts";
import { type QuantType, rowBytes } from "../file/quants.ts";
import { blockQuantizers } from "./blocks.ts";
import { iq1Quantizers } from "./iq1.ts";
import { iq2Quantizers } from "./iq2.ts";
import { iq3Quantizers } from "./iq3.ts";
import { iq4Quantizers } from "./iq4.ts";
import { superBlockQuantizers } from "./k.ts";
import { plainQuantizers } from "./plain.ts";
import { smallQuantizers } from "./small.ts";
import type { RowQuantizer } from "./types.ts";

const quantizers: ReadonlyMap<string, RowQuantizer> = new Map(
  Object.entries({
    ...plainQuantizers,
    ...blockQuantizers,
    ...superBlockQuantizers,
    ...iq4Quantizers,
    ...iq3Quantizers,
    ...iq2Quantizers,
    ...iq1Quantizers,
    ...smallQuantizers,
  }),
);

/** Types that cannot be written without importance. */
const importanceOnly: ReadonlySet<string> = new Set(["IQ2_XXS", "IQ2_XS", "IQ1_S"]);

/** Whether there is a quantiser of the type. */
export function canQuantize(type: QuantType): boolean {
  return quantizers.has(type.name);
}

/**
 * Quantises rows of `columns` weights each from the start of `x` to the start of `out`, as many as `x` holds.
 * `importance` has one weight a column. Lengths that do not fit, and IQ1_S, IQ2_XXS and IQ2_XS without importance, are
 * `input/invalid`.
 */
export function quantizeRows(
  type: QuantType,
  x: Float32Array,
  columns: number,
  out: Uint8Array,
  importance?: Float32Array,
): void {
  const quantize = quantizers.get(type.name);
  const rows = x.length / columns;
  const bytes = rowBytes(type, columns);
  const fits =
    Number.isInteger(rows) && Number.isInteger(bytes) && out.length >= rows * bytes && columns > 0;
  if (!quantize || !fits || (importance && importance.length !== columns))
    throw new WebggufError(
      "input/invalid",
      `Cannot quantise ${x.length} weights in rows of ${columns} to ${type.name} in ${out.length} bytes`,
      { expected: rows * bytes, actual: out.length },
    );
  if (!importance && importanceOnly.has(type.name))
    throw new WebggufError(
      "input/invalid",
      `Cannot quantise to ${type.name} without importance; give an importance matrix`,
    );
  for (let row = 0; row < rows; row++)
    quantize(
      x.subarray(row * columns, (row + 1) * columns),
      out.subarray(row * bytes, (row + 1) * bytes),
      importance,
    );
}
