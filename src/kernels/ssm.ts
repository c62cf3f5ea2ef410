/** Host side of ssm.wgsl: the selective state space of Mamba 1 and 2. */
import { type KernelCall, type Place, u } from "./call.ts";
import { Inputs, SCAN_THREADS, type StateCall, scanLanes } from "./inputs.ts";

export interface SsmCall extends StateCall {
  readonly x: Place;
  readonly dt: Place;
  readonly b: Place;
  readonly c: Place;
  /** f32 indices in the small buffer; d and bias may be NONE. */
  readonly a: number;
  readonly d: number;
  readonly bias: number;
  /** Whether `a` has a number for each element of state (Mamba 1), not for each head. */
  readonly perState: boolean;
  readonly heads: number;
  readonly headWidth: number;
  readonly groups: number;
  readonly stateWidth: number;
}

export function ssm(call: SsmCall): KernelCall {
  const { out, state, heads, headWidth, stateWidth } = call;
  const inputs = new Inputs();
  const lanes = scanLanes(stateWidth);
  const channels = heads * headWidth;
  return {
    kernel: "ssm",
    snippets: [],
    consts: {
      STATE: `${stateWidth}u`,
      LANES: `${lanes}u`,
      WG: `${SCAN_THREADS}u`,
      PER_STATE: call.perState,
    },
    params: [
      u(channels),
      u(headWidth),
      u(heads / call.groups),
      u(out.offset),
      u(out.stride),
      u(state.offset),
      u(state.size),
      u(0),
      ...inputs.source(call.x),
      ...inputs.source(call.dt),
      ...inputs.source(call.b),
      ...inputs.source(call.c),
      ...inputs.source(call.a),
      ...inputs.source(call.d),
      ...inputs.source(call.bias),
    ],
    bindings: inputs.bindings(call),
    tables: false,
    grid: {
      x: Math.ceil((channels * lanes) / SCAN_THREADS),
      y: call.runs,
      z: 1,
      tile: 1,
      domain: 0,
    },
    label: call.label,
    layer: call.layer,
    variant: `${stateWidth}`,
    bytes: 8 * channels * stateWidth,
  };
}
