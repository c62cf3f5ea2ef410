/** The element-wise functions, in the order of their numbers on the GPU (wgsl/lib/activations.wgsl), and their constants. */
import type { Activation } from "./ops.ts";

/** `swigluOai` exists as a gate only. */
export const activations: readonly (Activation | "swigluOai")[] = [
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

/** geluQuick(x) = x · σ(1.702 · x). */
export const QUICK_GELU_ALPHA = 1.702;

/** What gpt-oss's gate takes where a graph says nothing else. */
export const SWIGLU_OAI = { alpha: 1.702, limit: 7 } as const;
