/** What may name a model. */
import {
  callback,
  flag,
  isObject,
  listOf,
  type Rule,
  type Rules,
  rule,
  signal,
  text,
} from "../base/options.ts";
import { byteSource } from "../base/source.ts";
import type { ModelPart, ModelSource, SourceOptions } from "./types.ts";

/** How a source is opened. */
export const gettingRules: Rules<Omit<SourceOptions, "headerOnly">> = {
  cache: flag,
  offline: flag,
  endpoint: text,
  token: text,
  onProgress: callback,
  onNotice: callback,
  signal,
};

/** The same where nothing is loaded. */
export const sourceRules: Rules<SourceOptions> = { ...gettingRules, headerOnly: flag };

/** One file of a model. */
export const modelPart: Rule<ModelPart> = (value, name) => {
  const kinds = [URL, Blob, ArrayBuffer, Uint8Array];
  if ((typeof value === "string" && value.trim()) || kinds.some((kind) => value instanceof kind))
    return;
  rule(
    "a path, a repository (hf:USER/REPO), a URL, a File or Blob, bytes, or a ByteSource",
    isObject,
  )(value, name);
  byteSource(value, name);
};

/** A model: one file, or a list of its parts. */
export const modelSource: Rule<ModelSource> = (value, name) =>
  Array.isArray(value) ? listOf(modelPart)(value, name) : modelPart(value, name);
