/** ARWKV-7 (https://arxiv.org/abs/2501.15570): RWKV-7's time mixing in place of attention. */
import type { Ref } from "../graph/ops.ts";
import { decoder } from "./parts/decoder.ts";
import { gatedFfn } from "./parts/ffn.ts";
import type { Family } from "./parts/model.ts";
import { timeMix } from "./rwkv7.ts";

export const arwkv7: Family = (m) => {
  let first: Ref | undefined;
  return decoder(m, (x) => {
    const { y, value } = timeMix(m, m.rmsNorm(x, "attn_norm"), first);
    first = value;
    const after = m.add(x, y);
    return m.add(after, gatedFfn(m, m.rmsNorm(after, "ffn_norm"), "silu"));
  });
};
