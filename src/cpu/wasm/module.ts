/** The module of a model's types. */
import { quantByName } from "../../file/quants.ts";
import { type FunctionBody, ModuleBuilder } from "../../wasm/assembler.ts";
import { defineQuantize } from "./activations.ts";
import { defineFloats, floatFormats } from "./floats.ts";
import type { Format } from "./format.ts";
import { gridFormats } from "./formats/iq.ts";
import { superBlockFormats } from "./formats/k.ts";
import { smallFormats } from "./formats/small.ts";
import { defineFinish } from "./ops/finish.ts";
import { defineOps } from "./ops/index.ts";
import { defineProducts } from "./products.ts";

const formats: Readonly<Record<string, Format>> = {
  ...smallFormats,
  ...superBlockFormats,
  ...gridFormats,
};

/** The kernels of some types, by the types' names; `shared`: for memories that threads share. */
export function kernelBytes(types: Iterable<string>, shared = false): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder(shared);
  const tiles = new Map<string, FunctionBody>();
  defineQuantize(module);
  defineFinish(module);
  defineOps(module);
  for (const name of types) {
    const type = quantByName(name);
    if (type && formats[name]) defineProducts(module, name, formats[name], type, tiles);
    else defineFloats(module, name, floatFormats[name]);
  }
  return module.bytes();
}
