/** All model families, by `general.architecture`. */
import { WebggufError } from "../base/errors.ts";
import type { GgufFile } from "../gguf/types.ts";
import type { Graph } from "../graph/ops.ts";
import { arcee } from "./arcee.ts";
import { cohere } from "./command-r.ts";
import { gemma } from "./gemma.ts";
import { gemma2 } from "./gemma2.ts";
import { gemma3 } from "./gemma3.ts";
import { gptOss } from "./gpt-oss.ts";
import { granite } from "./granite.ts";
import { Hyper } from "./hyper.ts";
import { llama } from "./llama.ts";
import { mistral3 } from "./mistral3.ts";
import { type Family, ModelBuilder } from "./model.ts";
import { olmo } from "./olmo.ts";
import { olmo2 } from "./olmo2.ts";
import { olmoe } from "./olmoe.ts";
import { phi2 } from "./phi2.ts";
import { phi3 } from "./phi3.ts";
import { qwen2moe } from "./qwen2moe.ts";
import { seedOss } from "./seed-oss.ts";
import { smollm3 } from "./smollm3.ts";
import { stablelm } from "./stablelm.ts";

const families: ReadonlyMap<string, Family> = new Map(
  Object.entries({
    arcee,
    cohere2: cohere(2),
    "command-r": cohere(1),
    gemma,
    gemma2,
    gemma3: gemma3(true),
    "gemma-embedding": gemma3(false),
    "gpt-oss": gptOss,
    granite,
    granitemoe: granite,
    internlm2: llama("norm"),
    llama: llama("norm"),
    mistral3,
    olmo,
    olmo2,
    olmoe,
    phi2,
    phi3,
    phimoe: phi3,
    qwen2: llama("neox"),
    qwen2moe,
    qwen3: llama("neox"),
    qwen3moe: llama("neox"),
    seed_oss: seedOss,
    smollm3,
    stablelm,
    xverse: llama("norm"),
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
