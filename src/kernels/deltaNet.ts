/** Host side of deltaNet.wgsl: the gated delta rule. */
import { ALL_ROWS, type KernelCall, kernel, type Place } from "./call.ts";
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
  return kernel("deltaNet", call, {
    consts: {
      KEY: keyWidth,
      LANES: lanes,
      WG: SCAN_THREADS,
      PER_CHANNEL: call.g.width > heads,
      TILED: call.tiled,
    },
    params: {
      heads,
      key_heads: call.keyHeads,
      value_width: valueWidth,
      out_offset: out.offset,
      out_stride: out.stride,
      state_offset: state.offset,
      state_size: state.size,
      scale: call.scale,
      q: inputs.source(call.q),
      k: inputs.source(call.k),
      v: inputs.source(call.v),
      g: inputs.source(call.g),
      beta: inputs.source(call.beta),
    },
    bindings: inputs.bindings(call),
    grid: {
      x: heads * Math.ceil((valueWidth * lanes) / SCAN_THREADS),
      y: call.runs,
      z: 1,
      tile: 1,
      domain: ALL_ROWS,
    },
    variant: `${keyWidth}`,
    bytes: 8 * heads * keyWidth * valueWidth,
  });
}
