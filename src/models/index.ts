/** All model families, by `general.architecture`. */
import { WebggufError } from "../base/errors.ts";
import { nearest } from "../base/nearest.ts";
import { quoted } from "../base/text.ts";
import type { ModelFile } from "../file/types.ts";
import type { Graph } from "../graph/graph.ts";
import { afmoe } from "./afmoe.ts";
import { apertus } from "./apertus.ts";
import { arcee } from "./arcee.ts";
import { arwkv7 } from "./arwkv7.ts";
import { baichuan } from "./baichuan.ts";
import { bailingmoe } from "./bailingmoe.ts";
import { bailingmoe2 } from "./bailingmoe2.ts";
import { bert } from "./bert.ts";
import { bitnet } from "./bitnet.ts";
import { bloom } from "./bloom.ts";
import { chatglm } from "./chatglm.ts";
import { codeshell } from "./codeshell.ts";
import { cohere2 } from "./cohere2.ts";
import { commandR } from "./command-r.ts";
import { dbrx } from "./dbrx.ts";
import { deci } from "./deci.ts";
import { deepseek } from "./deepseek.ts";
import { deepseek2 } from "./deepseek2.ts";
import { deepseek2Ocr } from "./deepseek2-ocr.ts";
import { dots1 } from "./dots1.ts";
import { dream } from "./dream.ts";
import { ernie45, ernie45Moe } from "./ernie4-5.ts";
import { eurobert } from "./eurobert.ts";
import { exaone } from "./exaone.ts";
import { exaoneMoe } from "./exaone-moe.ts";
import { exaone4 } from "./exaone4.ts";
import { falcon } from "./falcon.ts";
import { falconH1 } from "./falcon-h1.ts";
import { gemma } from "./gemma.ts";
import { gemmaEmbedding } from "./gemma-embedding.ts";
import { gemma2 } from "./gemma2.ts";
import { gemma3 } from "./gemma3.ts";
import { gemma3n } from "./gemma3n.ts";
import { gemma4 } from "./gemma4.ts";
import { glm4, glm4moe } from "./glm4.ts";
import { gptOss } from "./gpt-oss.ts";
import { gpt2 } from "./gpt2.ts";
import { gptneox } from "./gptneox.ts";
import { granite, graniteSliding } from "./granite.ts";
import { graniteHybrid } from "./granite-hybrid.ts";
import { grok } from "./grok.ts";
import { hunyuan } from "./hunyuan.ts";
import { hyV3 } from "./hy-v3.ts";
import { internlm2 } from "./internlm2.ts";
import { jais, jais2 } from "./jais.ts";
import { jamba } from "./jamba.ts";
import { jinaBertV2, jinaBertV3 } from "./jina-bert.ts";
import { kimiLinear } from "./kimi-linear.ts";
import { lfm2 } from "./lfm2.ts";
import { llada, lladaMoe } from "./llada.ts";
import { llama, llamaEmbed } from "./llama.ts";
import { llama4 } from "./llama4.ts";
import { maincoder } from "./maincoder.ts";
import { mamba, mamba2 } from "./mamba.ts";
import { mellum } from "./mellum.ts";
import { mimo2 } from "./mimo2.ts";
import { minicpm } from "./minicpm.ts";
import { minicpm3 } from "./minicpm3.ts";
import { minimaxM2 } from "./minimax-m2.ts";
import { mistral3 } from "./mistral3.ts";
import { mistral4 } from "./mistral4.ts";
import { modernBert } from "./modern-bert.ts";
import { mpt } from "./mpt.ts";
import { nanbeige } from "./nanbeige.ts";
import { nemotron } from "./nemotron.ts";
import { nemotronH } from "./nemotron-h.ts";
import { neoBert } from "./neo-bert.ts";
import { nomicBert, nomicBertMoe } from "./nomic-bert.ts";
import { olmo } from "./olmo.ts";
import { olmo2 } from "./olmo2.ts";
import { olmoe } from "./olmoe.ts";
import { openelm } from "./openelm.ts";
import { orion } from "./orion.ts";
import { paddleocr } from "./paddleocr.ts";
import { panguEmbedded } from "./pangu-embedded.ts";
import { type Family, modelBuilder } from "./parts/model.ts";
import { finish } from "./parts/pooling.ts";
import { phi2 } from "./phi2.ts";
import { phi3 } from "./phi3.ts";
import { phimoe } from "./phimoe.ts";
import { plamo } from "./plamo.ts";
import { plamo3 } from "./plamo3.ts";
import { plm } from "./plm.ts";
import { qwen } from "./qwen.ts";
import { qwen2, qwen2moe } from "./qwen2.ts";
import { qwen2vl } from "./qwen2vl.ts";
import { qwen3 } from "./qwen3.ts";
import { qwen3next } from "./qwen3next.ts";
import { qwen3vl } from "./qwen3vl.ts";
import { qwen35 } from "./qwen35.ts";
import { refact } from "./refact.ts";
import { rnd1 } from "./rnd1.ts";
import { rwkv7 } from "./rwkv7.ts";
import { seedOss } from "./seed-oss.ts";
import { smallThinker } from "./smallthinker.ts";
import { smollm3 } from "./smollm3.ts";
import { stablelm } from "./stablelm.ts";
import { starcoder, starcoder2 } from "./starcoder.ts";
import { xverse } from "./xverse.ts";

const families: ReadonlyMap<string, Family> = new Map(
  Object.entries({
    afmoe,
    apertus,
    arcee,
    arwkv7,
    baichuan,
    bailingmoe,
    bailingmoe2,
    bert,
    bitnet,
    bloom,
    chatglm,
    codeshell,
    cohere2,
    "command-r": commandR,
    dbrx,
    deci,
    deepseek,
    deepseek2,
    "deepseek2-ocr": deepseek2Ocr,
    dots1,
    dream,
    ernie4_5: ernie45,
    "ernie4_5-moe": ernie45Moe,
    eurobert,
    exaone,
    "exaone-moe": exaoneMoe,
    exaone4,
    falcon,
    "falcon-h1": falconH1,
    gemma,
    "gemma-embedding": gemmaEmbedding,
    gemma2,
    gemma3,
    gemma3n,
    gemma4,
    glm4,
    glm4moe,
    "gpt-oss": gptOss,
    gpt2,
    gptneox,
    granite,
    granite_swa: graniteSliding,
    granitehybrid: graniteHybrid,
    granitemoe: granite,
    grok,
    "hunyuan-dense": hunyuan,
    "hunyuan-moe": hunyuan,
    hunyuan_vl: hunyuan,
    hy_v3: hyV3,
    internlm2,
    jais,
    jais2,
    jamba,
    "jina-bert-v2": jinaBertV2,
    "jina-bert-v3": jinaBertV3,
    "kimi-linear": kimiLinear,
    lfm2,
    lfm2moe: lfm2,
    llada,
    "llada-moe": lladaMoe,
    llama,
    "llama-embed": llamaEmbed,
    llama4,
    maincoder,
    mamba,
    mamba2,
    mellum,
    mimo2,
    minicpm,
    minicpm3,
    "minimax-m2": minimaxM2,
    mistral3,
    mistral4,
    "modern-bert": modernBert,
    mpt,
    nanbeige,
    nemotron,
    nemotron_h: nemotronH,
    nemotron_h_moe: nemotronH,
    "neo-bert": neoBert,
    "nomic-bert": nomicBert,
    "nomic-bert-moe": nomicBertMoe,
    olmo,
    olmo2,
    olmoe,
    openelm,
    orion,
    paddleocr,
    "pangu-embedded": panguEmbedded,
    phi2,
    phi3,
    phimoe,
    plamo,
    plamo3,
    plm,
    qwen,
    qwen2,
    qwen2moe,
    qwen2vl,
    qwen3,
    qwen35,
    qwen35moe: qwen35,
    qwen3moe: qwen3,
    qwen3next,
    qwen3vl,
    qwen3vlmoe: qwen3vl,
    refact,
    rnd1,
    rwkv7,
    seed_oss: seedOss,
    smallthinker: smallThinker,
    smollm3,
    stablelm,
    starcoder,
    starcoder2,
    xverse,
  }),
);

/** Names that `general.architecture` may have, in alphabetical order. */
export function architectures(): string[] {
  return [...families.keys()].sort();
}

/** What some files are that are no models for text, by their architecture. */
const others: readonly (readonly [names: RegExp, kind: string])[] = [
  [
    /^(clip|mmproj)$/,
    "a projector of images or sound, which goes beside a model: open the model itself",
  ],
  [
    /^t5(encoder)?$|^bart|^whisper/,
    "an encoder-decoder or its encoder, which is not computed: use a decoder",
  ],
  [
    /^(flux|sd\d|sdxl|wan|ltxv|aura|cosmos|lumina|hyvid|qwen_image|pig|z_image)/,
    "a model that makes images, not text",
  ],
];

function unknownArchitecture(file: ModelFile, name: string): WebggufError {
  const kind = others.find(([names]) => names.test(name))?.[1];
  const near = nearest(name, architectures());
  const meant = near.length > 0 ? `; it is near to ${near.join(", ")}` : "";
  return new WebggufError(
    "model/unsupported",
    `Cannot run ${file.name}: ${kind ? `its architecture ${quoted(name)} is ${kind}` : `architecture ${quoted(name)} is not known${meant}; see docs/architectures.md, or update webgguf`}`,
    { file: file.name, key: "general.architecture", actual: name, expected: near },
  );
}

/**
 * The graph of a model, checked as a whole: unknown architectures throw `model/unsupported`, missing
 * or contradictory hyperparameters and tensors `model/invalid`. Reads no tensor data.
 * `contextLength` is what the caller will use (some rope scalings depend on it).
 */
export function buildGraph(file: ModelFile, options: { contextLength: number }): Graph {
  const architecture = file.metadata.string("general.architecture");
  const family = families.get(architecture);
  if (!family) throw unknownArchitecture(file, architecture);
  const m = modelBuilder(file, options.contextLength);
  return finish(m, family(m));
}
