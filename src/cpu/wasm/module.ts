/** The module of a model's types. */
import { quantByName } from "../../file/quants.ts";
import { type FunctionBody, ModuleBuilder } from "../../wasm/assembler.ts";
import { defineQuantize } from "./activations.ts";
import { defineFloats, floatFormats } from "./floats.ts";
import type { Format } from "./format.ts";
import { superBlockFormats } from "./formats/k.ts";
import { smallFormats } from "./formats/small.ts";
import { defineFinish } from "./ops/finish.ts";
import { defineOps } from "./ops/index.ts";
import { defineCross, defineProducts } from "./products.ts";
import type { Rare } from "./rare.ts";

const formats: Readonly<Record<string, Format>> = {
  ...smallFormats,
  ...superBlockFormats,
};

/** Whether a type's kernels are among those of all models. */
export const isCommon = (type: string): boolean => type in formats || type in floatFormats;

/** The kernels of some types, by the types' names; `shared`: for memories that threads share. */
export function kernelBytes(
  types: Iterable<string>,
  shared = false,
  rare?: Rare,
): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder(shared);
  const tiles = new Map<string, FunctionBody>();
  defineQuantize(module);
  const cross = defineCross(module);
  defineFinish(module);
  defineOps(module);
  rare?.define(module);
  for (const name of types) {
    const type = quantByName(name);
    const format = formats[name] ?? rare?.formats[name];
    if (type && format) defineProducts(module, name, format, type, tiles, cross);
    else defineFloats(module, name, floatFormats[name]);
  }
  return module.bytes();
}
