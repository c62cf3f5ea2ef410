/** All ops in plain TypeScript; one that no file makes does not compile. */
import { attentionOps } from "./attention.ts";
import type { CpuOps } from "./context.ts";
import { convOps } from "./conv.ts";
import { deltaNetOps } from "./deltaNet.ts";
import { elementwiseOps } from "./elementwise.ts";
import { embedOps } from "./embed.ts";
import { layoutOps } from "./layout.ts";
import { linearOps } from "./linear.ts";
import { moeOps } from "./moe.ts";
import { normOps } from "./norm.ts";
import { ropeOps } from "./rope.ts";
import { ssmOps } from "./ssm.ts";
import { wkv7Ops } from "./wkv7.ts";

export const plainOps: CpuOps = {
  ...attentionOps,
  ...convOps,
  ...deltaNetOps,
  ...elementwiseOps,
  ...embedOps,
  ...layoutOps,
  ...linearOps,
  ...moeOps,
  ...normOps,
  ...ropeOps,
  ...ssmOps,
  ...wkv7Ops,
};
