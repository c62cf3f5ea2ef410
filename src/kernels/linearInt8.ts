/** Host side of matvecInt8.wgsl (1 to 8 rows) and matmulInt8.wgsl (many rows). */
import type { QuantType } from "../gguf/quants.ts";
import type { KernelCall, Place } from "./call.ts";
import { type LinearCall, linear, type MatvecTuning } from "./linear.ts";
import { quantKernel } from "./quants.ts";

/** Whether weights of a type can be multiplied by activations of signed bytes; the others take floats. */
export const hasInt8 = (type: QuantType): boolean => quantKernel(type).int8;

/** A linear map that reads `x`, the activations as quantize.wgsl makes them, in place of its own. */
export function linearInt8(
  call: LinearCall,
  x: Place,
  rows: number,
  tuning: MatvecTuning,
): KernelCall {
  const made = linear({ ...call, x }, rows, tuning);
  return { ...made, kernel: `${made.kernel}Int8`, variant: `${made.variant} int8` };
}
