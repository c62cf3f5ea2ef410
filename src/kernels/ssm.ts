/** Host side of ssm.wgsl: the selective state space of Mamba 1 and 2. */
import { ALL_ROWS, type KernelCall, kernel, type Place } from "./call.ts";
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
  return kernel("ssm", call, {
    consts: {
      STATE: stateWidth,
      LANES: lanes,
      WG: SCAN_THREADS,
      PER_STATE: call.perState,
    },
    params: {
      channels,
      head_width: headWidth,
      heads_a_group: heads / call.groups,
      out_offset: out.offset,
      out_stride: out.stride,
      state_offset: state.offset,
      state_size: state.size,
      x: inputs.source(call.x),
      dt: inputs.source(call.dt),
      b: inputs.source(call.b),
      c: inputs.source(call.c),
      a: inputs.source(call.a),
      d: inputs.source(call.d),
      bias: inputs.source(call.bias),
    },
    bindings: inputs.bindings(call),
    grid: {
      x: Math.ceil((channels * lanes) / SCAN_THREADS),
      y: call.runs,
      z: 1,
      tile: 1,
      domain: ALL_ROWS,
    },
    variant: `${stateWidth}`,
    bytes: 8 * channels * stateWidth,
  });
}
