/** Tensor bytes to floats: one decoder a type, bit for bit what llama.cpp's reference code gives. */
import { WebggufError } from "../../base/errors.ts";
import type { Decoder, QuantType } from "../quants.ts";
import { blockDecoders } from "./block.ts";
import { gridDecoders } from "./iq.ts";
import { superBlockDecoders } from "./k.ts";
import { plainDecoders } from "./plain.ts";
import { smallDecoders } from "./small.ts";

const decoders: ReadonlyMap<string, Decoder> = new Map(
  Object.entries({
    ...plainDecoders,
    ...blockDecoders,
    ...superBlockDecoders,
    ...gridDecoders,
    ...smallDecoders,
  }),
);

/**
 * Decodes `elements` weights of `type` from the start of `bytes` into the start of `out`.
 * `elements` must be a multiple of the type's block, and both arrays long enough (`input/invalid`).
 */
export function dequantize(
  type: QuantType,
  bytes: Uint8Array,
  out: Float32Array,
  elements: number,
): void {
  const decode = decoders.get(type.name);
  const blocks = elements / type.elements;
  const fits = bytes.length >= blocks * type.bytes && out.length >= elements;
  if (!decode || !Number.isInteger(blocks) || blocks < 0 || !fits)
    throw new WebggufError(
      "input/invalid",
      `Cannot decode ${elements} elements of ${type.name} from ${bytes.length} bytes into ${out.length} floats`,
      { expected: blocks * type.bytes, actual: bytes.length },
    );
  decode(bytes, out, blocks);
}
