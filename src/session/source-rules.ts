/** What may name a model. */
import { isObject, listOf, type Rule, rule } from "../base/options.ts";
import { byteSource } from "../base/source.ts";
import type { ModelPart, ModelSource } from "./types.ts";

/** One file of a model. */
export const modelPart: Rule<ModelPart> = (value, name) => {
  const kinds = [URL, Blob, ArrayBuffer, Uint8Array];
  if ((typeof value === "string" && value.trim()) || kinds.some((kind) => value instanceof kind))
    return;
  rule("a path, a URL, a File or Blob, bytes, or a ByteSource", isObject)(value, name);
  byteSource(value, name);
};

/** A model: one file, or a list of its parts. */
export const modelSource: Rule<ModelSource> = (value, name) =>
  Array.isArray(value) ? listOf(modelPart)(value, name) : modelPart(value, name);
