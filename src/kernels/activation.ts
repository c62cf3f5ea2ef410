/** Numbers of the element-wise functions in wgsl/lib/activation.wgsl. */
import type { Activation } from "../graph/ops.ts";

const order = [
  "silu",
  "gelu",
  "geluErf",
  "geluQuick",
  "relu",
  "relu2",
  "sigmoid",
  "tanh",
  "softplus",
  "exp",
  "negExp",
  "xielu",
  "swigluOai",
];

export const activationNumber = (kind: Activation | "swigluOai"): number => order.indexOf(kind);
