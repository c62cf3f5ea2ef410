/** What elementwise.wgsl can do, in the order of the numbers in wgsl/lib/elementwise-kinds.wgsl; one pipeline does it all. */
export const elementwiseKinds = [
  "add",
  "mul",
  "scale",
  "clamp",
  "activation",
  "softcap",
  "gated",
  "positionScale",
  "xielu",
] as const;

export type ElementwiseKind = (typeof elementwiseKinds)[number];
