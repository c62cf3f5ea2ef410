/** Host side of deltaNet.wgsl: the gated delta rule. */
import { f, type KernelCall, type Place, u } from "./call.ts";
import { Inputs, SCAN_THREADS, type StateCall, scanLanes } from "./inputs.ts";

export interface DeltaNetCall extends StateCall {
  readonly q: Place;
  readonly k: Place;
  readonly v: Place;
  readonly g: Place;
  readonly beta: Place;
  readonly heads: number;
  readonly keyHeads: number;
  readonly keyWidth: number;
  readonly valueWidth: number;
  readonly scale: number;
  readonly tiled: boolean;
}

export function deltaNet(call: DeltaNetCall): KernelCall {
  const { out, state, heads, keyWidth, valueWidth } = call;
  const inputs = new Inputs();
  const lanes = scanLanes(keyWidth);
  return {
    kernel: "deltaNet",
    snippets: [],
    consts: {
      KEY: `${keyWidth}u`,
      LANES: `${lanes}u`,
      WG: `${SCAN_THREADS}u`,
      PER_CHANNEL: call.g.width > heads,
      TILED: call.tiled,
    },
    params: [
      u(heads),
      u(call.keyHeads),
      u(valueWidth),
      u(out.offset),
      u(out.stride),
      u(state.offset),
      u(state.size),
      f(call.scale),
      ...inputs.source(call.q),
      ...inputs.source(call.k),
      ...inputs.source(call.v),
      ...inputs.source(call.g),
      ...inputs.source(call.beta),
    ],
    bindings: inputs.bindings(call),
    tables: false,
    grid: {
      x: heads * Math.ceil((valueWidth * lanes) / SCAN_THREADS),
      y: call.runs,
      z: 1,
      tile: 1,
      domain: 0,
    },
    label: call.label,
    layer: call.layer,
    variant: `${keyWidth}`,
    bytes: 8 * heads * keyWidth * valueWidth,
  };
}
