/** All model families, by `general.architecture`. */
import { WebggufError } from "../base/errors.ts";
import type { ModelFile } from "../file/types.ts";
import type { Graph } from "../graph/ops.ts";
import { afmoe } from "./afmoe.ts";
import { baichuan, refact } from "./alibi.ts";
import { apertus } from "./apertus.ts";
import { arcee } from "./arcee.ts";
import { bailingmoe2 } from "./bailingmoe2.ts";
import { bert } from "./bert.ts";
import { bitnet } from "./bitnet.ts";
import { cohere } from "./command-r.ts";
import { dbrx } from "./dbrx.ts";
import { deepseek2 } from "./deepseek2.ts";
import { exaone4, exaoneMoe } from "./exaone4.ts";
import { falcon } from "./falcon.ts";
import { falconH1 } from "./falcon-h1.ts";
import { gemma } from "./gemma.ts";
import { gemma2 } from "./gemma2.ts";
import { gemma3 } from "./gemma3.ts";
import { gemma3n } from "./gemma3n.ts";
import { gemma4 } from "./gemma4.ts";
import { glm4, glm4moe } from "./glm4.ts";
import { gptOss } from "./gpt-oss.ts";
import { layerNormed } from "./gpt2.ts";
import { granite, graniteSliding, minicpm } from "./granite.ts";
import { graniteHybrid } from "./granite-hybrid.ts";
import { grok } from "./grok.ts";
import { hunyuan } from "./hunyuan.ts";
import { Hyper } from "./hyper.ts";
import { jamba } from "./jamba.ts";
import { kimiLinear } from "./kimi-linear.ts";
import { lfm2 } from "./lfm2.ts";
import { bothWays, llama, llamaEncoder } from "./llama.ts";
import { llamaMoe } from "./llama-moe.ts";
import { llama4 } from "./llama4.ts";
import { mamba, mamba1Mixer, mamba2Mixer } from "./mamba.ts";
import { mellum, mimo2, plamo3 } from "./mellum.ts";
import { minicpm3, plm } from "./minicpm3.ts";
import { minimaxM2 } from "./minimax-m2.ts";
import { mistral3 } from "./mistral3.ts";
import { type Family, ModelBuilder } from "./model.ts";
import { modernBert } from "./modern-bert.ts";
import { nemotronH } from "./nemotron-h.ts";
import { olmo } from "./olmo.ts";
import { olmo2 } from "./olmo2.ts";
import { olmoe } from "./olmoe.ts";
import { phi2 } from "./phi2.ts";
import { phi3 } from "./phi3.ts";
import { plamo } from "./plamo.ts";
import { multiSection } from "./qwen2vl.ts";
import { qwen3next } from "./qwen3next.ts";
import { arwkv7, rwkv7 } from "./rwkv7.ts";
import { seedOss } from "./seed-oss.ts";
import { smallThinker } from "./smallthinker.ts";
import { smollm3 } from "./smollm3.ts";
import { stablelm } from "./stablelm.ts";

const families: ReadonlyMap<string, Family> = new Map(
  Object.entries({
    afmoe: afmoe,
    apertus: apertus,
    arcee: arcee,
    arwkv7: arwkv7,
    baichuan: baichuan,
    bailingmoe: llamaMoe("norm"),
    bailingmoe2: bailingmoe2,
    bert: bert(),
    bitnet: bitnet,
    bloom: layerNormed({ alibi: 8 }),
    chatglm: llama("norm"),
    codeshell: layerNormed({ rope: "neox" }),
    cohere2: cohere(2),
    "command-r": cohere(1),
    dbrx: dbrx,
    deci: llama("norm"),
    deepseek: llamaMoe("norm"),
    deepseek2: deepseek2(true),
    "deepseek2-ocr": llamaMoe("neox"),
    dots1: llamaMoe("neox"),
    dream: bothWays("neox"),
    ernie4_5: llama("norm"),
    "ernie4_5-moe": llamaMoe("norm", { gate: "softmax", normalize: true }),
    eurobert: llamaEncoder("neox"),
    exaone: llama("neox"),
    "exaone-moe": exaoneMoe,
    exaone4: exaone4,
    falcon: falcon,
    "falcon-h1": falconH1,
    gemma: gemma,
    "gemma-embedding": gemma3(false),
    gemma2: gemma2,
    gemma3: gemma3(true),
    gemma3n: gemma3n,
    gemma4: gemma4,
    glm4: glm4,
    glm4moe: glm4moe,
    "gpt-oss": gptOss,
    gpt2: layerNormed(),
    gptneox: layerNormed({ rope: "neox" }),
    granite: granite,
    granite_swa: graniteSliding,
    granitehybrid: graniteHybrid,
    granitemoe: granite,
    grok: grok,
    "hunyuan-dense": hunyuan("neox"),
    "hunyuan-moe": hunyuan("neox"),
    hunyuan_vl: hunyuan("neox"),
    hy_v3: llamaMoe("neox", { gate: "sigmoid" }),
    internlm2: llama("norm"),
    jais: layerNormed({ kind: "silu", gated: true, alibi: 8, byWidth: true }),
    jais2: layerNormed({ rope: "neox", kind: "relu2" }),
    jamba: jamba,
    "jina-bert-v2": bert({ alibi: 8, gate: "gelu" }),
    "jina-bert-v3": bert({ rope: "neox" }),
    "kimi-linear": kimiLinear,
    lfm2: lfm2,
    lfm2moe: lfm2,
    llada: bothWays("norm"),
    "llada-moe": bothWays("neox", false),
    llama: llama("norm"),
    "llama-embed": llamaEncoder("norm"),
    llama4: llama4,
    maincoder: hunyuan("norm"),
    mamba: mamba(mamba1Mixer),
    mamba2: mamba(mamba2Mixer),
    mellum: mellum,
    mimo2: mimo2,
    minicpm: minicpm,
    minicpm3: minicpm3,
    "minimax-m2": minimaxM2,
    mistral3: mistral3,
    mistral4: deepseek2(false),
    "modern-bert": modernBert,
    mpt: layerNormed(),
    nanbeige: llama("norm"),
    nemotron: layerNormed({ rope: "neox", kind: "relu2" }),
    nemotron_h: nemotronH,
    nemotron_h_moe: nemotronH,
    "neo-bert": llamaEncoder("norm", "enc.output_norm"),
    "nomic-bert": bert({ rope: "neox", gate: "silu" }),
    "nomic-bert-moe": bert({ rope: "neox" }),
    olmo: olmo,
    olmo2: olmo2,
    olmoe: olmoe,
    openelm: llama("neox"),
    orion: layerNormed({ rope: "neox", kind: "silu", gated: true }),
    paddleocr: multiSection(false),
    "pangu-embedded": llama("neox"),
    phi2: phi2,
    phi3: phi3,
    phimoe: phi3,
    plamo: plamo,
    plamo3: plamo3,
    plm: plm,
    qwen: llama("neox"),
    qwen2: llama("neox"),
    qwen2moe: llamaMoe("neox", { normalize: false }),
    qwen2vl: multiSection(false),
    qwen3: llama("neox"),
    qwen35: qwen3next,
    qwen35moe: qwen3next,
    qwen3moe: llama("neox"),
    qwen3next: qwen3next,
    qwen3vl: multiSection(true),
    qwen3vlmoe: multiSection(true),
    refact: refact,
    rnd1: bothWays("neox"),
    rwkv7: rwkv7,
    seed_oss: seedOss,
    smallthinker: smallThinker,
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
export function buildGraph(file: ModelFile, options: { contextLength: number }): Graph {
  const architecture = file.metadata.string("general.architecture");
  const family = families.get(architecture);
  if (!family)
    throw new WebggufError(
      "model/unsupported",
      `Cannot run ${file.name}: architecture "${architecture}" is not known; ` +
        `known are ${architectures().join(", ")}`,
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
