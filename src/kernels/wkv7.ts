/** Host side of wkv7.wgsl: RWKV-7's time mixing. */
import { ALL_ROWS, type KernelCall, kernel, type Place } from "./call.ts";
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
  return kernel("wkv7", call, {
    consts: { WIDTH: headWidth, LANES: lanes, WG: SCAN_THREADS },
    params: {
      channels: r.width,
      out_offset: out.offset,
      out_stride: out.stride,
      state_offset: state.offset,
      state_size: state.size,
      r: inputs.source(r),
      w: inputs.source(call.w),
      k: inputs.source(call.k),
      v: inputs.source(call.v),
      a: inputs.source(call.a),
      b: inputs.source(call.b),
    },
    bindings: inputs.bindings(call),
    grid: {
      x: Math.ceil((r.width * lanes) / SCAN_THREADS),
      y: call.runs,
      z: 1,
      tile: 1,
      domain: ALL_ROWS,
    },
    variant: `${headWidth}`,
    bytes: 8 * r.width * headWidth,
  });
}
