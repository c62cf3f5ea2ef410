/** Host side of wkv7.wgsl: RWKV-7's time mixing. */
import { type KernelCall, type Place, u } from "./call.ts";
import { Inputs, SCAN_THREADS, type StateCall, scanLanes } from "./inputs.ts";

export interface Wkv7Call extends StateCall {
  readonly r: Place;
  readonly w: Place;
  readonly k: Place;
  readonly v: Place;
  readonly a: Place;
  readonly b: Place;
  readonly headWidth: number;
}

export function wkv7(call: Wkv7Call): KernelCall {
  const { out, state, headWidth, r } = call;
  const inputs = new Inputs();
  const lanes = scanLanes(headWidth);
  return {
    kernel: "wkv7",
    snippets: [],
    consts: { WIDTH: `${headWidth}u`, LANES: `${lanes}u`, WG: `${SCAN_THREADS}u` },
    params: [
      u(r.width),
      u(out.offset),
      u(out.stride),
      u(state.offset),
      u(state.size),
      u(0),
      u(0),
      u(0),
      ...[r, call.w, call.k, call.v, call.a, call.b].flatMap((place) => inputs.source(place)),
    ],
    bindings: inputs.bindings(call),
    tables: false,
    grid: {
      x: Math.ceil((r.width * lanes) / SCAN_THREADS),
      y: call.runs,
      z: 1,
      tile: 1,
      domain: 0,
    },
    label: call.label,
    layer: call.layer,
    variant: `${headWidth}`,
    bytes: 8 * r.width * headWidth,
  };
}
