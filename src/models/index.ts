/** All model families, by `general.architecture`. */
import { WebggufError } from "../base/errors.ts";
import type { GgufFile } from "../gguf/types.ts";
import type { Graph } from "../graph/ops.ts";
import { Hyper } from "./hyper.ts";
import { llama } from "./llama.ts";
import { type Family, ModelBuilder } from "./model.ts";

const families: ReadonlyMap<string, Family> = new Map(
  Object.entries({
    llama: llama("norm"),
    qwen3: llama("neox"),
  }),
);

/** Names that `general.architecture` may have, in alphabetical order. */
export function architectures(): string[] {
  return [...families.keys()].sort();
}

/**
 * The graph of a model, checked as a whole: unknown architectures throw `model/unsupported`, missing
 * or contradictory hyperparameters and tensors `model/invalid`. Reads no tensor data.
 * `contextLength` is what the caller will use (some rope scalings depend on it).
 */
export function buildGraph(file: GgufFile, options: { contextLength: number }): Graph {
  const architecture = file.metadata.string("general.architecture");
  const family = families.get(architecture);
  if (!family)
    throw new WebggufError(
      "model/unsupported",
      `Cannot run ${file.name}: architecture "${architecture}" is not known; known are ${architectures().join(", ")}`,
      {
        file: file.name,
        key: "general.architecture",
        actual: architecture,
        expected: architectures(),
      },
    );
  const m = new ModelBuilder(file, new Hyper(file, options.contextLength));
  return m.finish(family(m));
}
