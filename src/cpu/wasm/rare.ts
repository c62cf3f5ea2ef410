/** What only some models need, in a file of its own so that others do not fetch it. */
import { quantTables } from "../../file/grids.ts";
import type { ModuleBuilder } from "../../wasm/assembler.ts";
import type { CpuOps } from "../ops/context.ts";
import { type Format, tablesAt } from "./format.ts";
import { fewBitFormats } from "./formats/few.ts";
import { gridFormats } from "./formats/iq.ts";
import type { Room } from "./kernels.ts";
import { defineExperts, expertOps } from "./ops/experts.ts";
import { defineRecurrent, recurrentOps } from "./ops/recurrent.ts";

export interface Rare {
  /** By the types' names. */
  readonly formats: Readonly<Record<string, Format>>;
  /** Adds kernels that call those of all models. */
  define(module: ModuleBuilder): void;
  ops(room: Room, plain: CpuOps): Partial<CpuOps>;
  /** Writes the grids into a memory. */
  fill(buffer: ArrayBuffer): void;
}

export const rare: Rare = {
  formats: { ...fewBitFormats, ...gridFormats },
  define(module) {
    defineExperts(module);
    defineRecurrent(module);
  },
  ops: (room, plain) => ({ ...expertOps(room, plain), ...recurrentOps(room, plain) }),
  fill(buffer) {
    new Uint32Array(buffer, tablesAt).set(quantTables());
  },
};
