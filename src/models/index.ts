/** All model families, by `general.architecture`. */
import { WebggufError } from "../base/errors.ts";
import type { GgufFile } from "../gguf/types.ts";
import type { Graph } from "../graph/ops.ts";
import { baichuan, refact } from "./alibi.ts";
import { apertus } from "./apertus.ts";
import { arcee } from "./arcee.ts";
import { bailingmoe2 } from "./bailingmoe2.ts";
import { bitnet } from "./bitnet.ts";
import { cohere } from "./command-r.ts";
import { dbrx } from "./dbrx.ts";
import { exaone4 } from "./exaone4.ts";
import { falcon } from "./falcon.ts";
import { gemma } from "./gemma.ts";
import { gemma2 } from "./gemma2.ts";
import { gemma3 } from "./gemma3.ts";
import { glm4, glm4moe } from "./glm4.ts";
import { gptOss } from "./gpt-oss.ts";
import { layerNormed } from "./gpt2.ts";
import { granite, minicpm } from "./granite.ts";
import { grok } from "./grok.ts";
import { hunyuan } from "./hunyuan.ts";
import { Hyper } from "./hyper.ts";
import { lfm2 } from "./lfm2.ts";
import { llama } from "./llama.ts";
import { llamaEmbed } from "./llama-embed.ts";
import { llamaMoe } from "./llama-moe.ts";
import { llama4 } from "./llama4.ts";
import { minimaxM2 } from "./minimax-m2.ts";
import { mistral3 } from "./mistral3.ts";
import { type Family, ModelBuilder } from "./model.ts";
import { olmo } from "./olmo.ts";
import { olmo2 } from "./olmo2.ts";
import { olmoe } from "./olmoe.ts";
import { phi2 } from "./phi2.ts";
import { phi3 } from "./phi3.ts";
import { plamo } from "./plamo.ts";
import { multiSection } from "./qwen2vl.ts";
import { seedOss } from "./seed-oss.ts";
import { smollm3 } from "./smollm3.ts";
import { stablelm } from "./stablelm.ts";

const families: ReadonlyMap<string, Family> = new Map(
  Object.entries({
    apertus: apertus,
    arcee: arcee,
    baichuan: baichuan,
    bailingmoe: llamaMoe("norm"),
    bailingmoe2: bailingmoe2,
    bitnet: bitnet,
    bloom: layerNormed({ alibi: 8 }),
    chatglm: llama("norm"),
    codeshell: layerNormed({ rope: "neox" }),
    cohere2: cohere(2),
    "command-r": cohere(1),
    dbrx: dbrx,
    deci: llama("norm"),
    deepseek: llamaMoe("norm"),
    dots1: llamaMoe("neox"),
    ernie4_5: llama("norm"),
    "ernie4_5-moe": llamaMoe("norm", { gate: "softmax", normalize: true }),
    exaone: llama("neox"),
    exaone4: exaone4,
    falcon: falcon,
    gemma: gemma,
    "gemma-embedding": gemma3(false),
    gemma2: gemma2,
    gemma3: gemma3(true),
    glm4: glm4,
    glm4moe: glm4moe,
    "gpt-oss": gptOss,
    gpt2: layerNormed(),
    gptneox: layerNormed({ rope: "neox" }),
    granite: granite,
    granitemoe: granite,
    grok: grok,
    "hunyuan-dense": hunyuan("neox"),
    "hunyuan-moe": hunyuan("neox"),
    internlm2: llama("norm"),
    jais: layerNormed({ kind: "silu", gated: true, alibi: 8, byWidth: true }),
    jais2: layerNormed({ rope: "neox", kind: "relu2" }),
    lfm2: lfm2,
    lfm2moe: lfm2,
    llama: llama("norm"),
    "llama-embed": llamaEmbed,
    llama4: llama4,
    maincoder: hunyuan("norm"),
    minicpm: minicpm,
    "minimax-m2": minimaxM2,
    mistral3: mistral3,
    mpt: layerNormed(),
    nanbeige: llama("norm"),
    nemotron: layerNormed({ rope: "neox", kind: "relu2" }),
    olmo: olmo,
    olmo2: olmo2,
    olmoe: olmoe,
    openelm: llama("neox"),
    orion: layerNormed({ rope: "neox", kind: "silu", gated: true }),
    "pangu-embedded": llama("neox"),
    phi2: phi2,
    phi3: phi3,
    phimoe: phi3,
    plamo: plamo,
    qwen: llama("neox"),
    qwen2: llama("neox"),
    qwen2moe: llamaMoe("neox", { normalize: false }),
    qwen2vl: multiSection(false),
    qwen3: llama("neox"),
    qwen3moe: llama("neox"),
    qwen3vl: multiSection(true),
    qwen3vlmoe: multiSection(true),
    refact: refact,
    seed_oss: seedOss,
    smollm3: smollm3,
    stablelm: stablelm,
    starcoder: layerNormed(),
    starcoder2: layerNormed({ rope: "neox" }),
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
