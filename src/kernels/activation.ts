/** Numbers of the element-wise functions in wgsl/lib/activations.wgsl. */
import { activations } from "../graph/activations.ts";

export const activationNumber = (kind: (typeof activations)[number]): number =>
  activations.indexOf(kind);
