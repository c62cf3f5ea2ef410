/** Which file of a repository is taken: llama.cpp's choice on listings as they are found on the hub. */
import { describe, expect, it } from "vitest";
import {
  chooseFile,
  modelsIn,
  partCount,
  partsOf,
  quantsIn,
} from "../../src/bytes/store/choose.ts";

const bartowski = [
  ".gitattributes",
  "Llama-3.2-1B-Instruct-IQ3_M.gguf",
  "Llama-3.2-1B-Instruct-IQ4_XS.gguf",
  "Llama-3.2-1B-Instruct-Q3_K_L.gguf",
  "Llama-3.2-1B-Instruct-Q4_0.gguf",
  "Llama-3.2-1B-Instruct-Q4_0_4_4.gguf",
  "Llama-3.2-1B-Instruct-Q4_K_L.gguf",
  "Llama-3.2-1B-Instruct-Q4_K_M.gguf",
  "Llama-3.2-1B-Instruct-Q4_K_S.gguf",
  "Llama-3.2-1B-Instruct-Q8_0.gguf",
  "Llama-3.2-1B-Instruct-f16.gguf",
  "Llama-3.2-1B-Instruct.imatrix",
  "README.md",
];
const folders = [
  "BF16/big-BF16-00001-of-00003.gguf",
  "BF16/big-BF16-00002-of-00003.gguf",
  "BF16/big-BF16-00003-of-00003.gguf",
  "Q4_K_M/big-Q4_K_M-00001-of-00002.gguf",
  "Q4_K_M/big-Q4_K_M-00002-of-00002.gguf",
  "UD-IQ1_S/big-UD-IQ1_S.gguf",
  "big-Q2_K.gguf",
  "imatrix_unsloth.gguf",
];
const vision = [
  "mmproj-model-Q8_0.gguf",
  "model-Q4_0.gguf",
  "model-Q8_0.gguf",
  "mtp-model-Q4_K_M.gguf",
];
const dots = ["qwen2.5.q4_k_m.gguf", "qwen2.5.q8_0.gguf"];
const one = ["README.md", "tiny.gguf"];
const none = ["README.md", "mmproj-f16.gguf", "model.safetensors"];
const theBloke = [
  "llama-2-7b-chat.Q2_K.gguf",
  "llama-2-7b-chat.Q4_0.gguf",
  "llama-2-7b-chat.Q4_K_M.gguf",
];
const ggmlOrg = ["gemma-3-1b-it-Q4_K_M.gguf", "gemma-3-1b-it-Q8_0.gguf", "gemma-3-1b-it-f16.gguf"];
const unsloth = [
  ...[
    "Qwen3-0.6B-BF16.gguf",
    "Qwen3-0.6B-IQ4_NL.gguf",
    "Qwen3-0.6B-Q2_K_L.gguf",
    "Qwen3-0.6B-Q4_K_M.gguf",
  ],
  ...["Qwen3-0.6B-UD-IQ1_M.gguf", "Qwen3-0.6B-UD-Q2_K_XL.gguf", "Qwen3-0.6B-UD-Q4_K_XL.gguf"],
];
const gptOss = ["gpt-oss-20b-MXFP4-00001-of-00002.gguf", "gpt-oss-20b-MXFP4-00002-of-00002.gguf"];
const embedding = ["nomic-embed-text-v1.5.f32.gguf", "nomic-embed-text-v1.5.Q8_0.gguf"];
const fromPhi = ["Phi-3-mini-4k-instruct-fp16.gguf", "Phi-3-mini-4k-instruct-q4.gguf"];
const nested = ["gguf/a/model-Q8_0.gguf", "gguf/b/model-Q4_K_M.gguf", "model-F16.gguf"];
const ternary = ["bitnet-TQ1_0.gguf", "bitnet-TQ2_0.gguf", "ggml-model-i2_s.gguf"];
const splitDefault = [
  ...[1, 2, 3].map((i) => `DeepSeek-Q4_K_M-0000${i}-of-00003.gguf`),
  ...[1, 2].map((i) => `DeepSeek-Q2_K-0000${i}-of-00002.gguf`),
];
const late = ["x-Q8_0-00002-of-00002.gguf", "x-Q8_0-00001-of-00002.gguf", "x-F16.gguf"];
const versions = ["m-v2-Q4_K_M.gguf", "m-v2.1-Q4_K_M.gguf", "m-v2.1-Q8_0.gguf"];
const imatrices = ["m-imatrix-Q4_K_M.gguf", "m-Q5_K_M.gguf", "imatrix.dat"];
const vl = ["Qwen2.5-VL-Q4_K_M.gguf", "mmproj-Qwen2.5-VL-f16.gguf", "Qwen2.5-VL-Q8_0.gguf"];
const drafts = ["dflash-x-Q8_0.gguf", "dspark-x.gguf", "eagle3-x.gguf", "x-F16.gguf"];

/** Listing, what is asked for, the file that `llama-server -hf` takes. */
const table: readonly (readonly [readonly string[], string | undefined, string | undefined])[] = [
  [bartowski, undefined, "Llama-3.2-1B-Instruct-Q4_K_M.gguf"],
  [bartowski, "Q4_K_M", "Llama-3.2-1B-Instruct-Q4_K_M.gguf"],
  [bartowski, "q4_k_m", "Llama-3.2-1B-Instruct-Q4_K_M.gguf"],
  [bartowski, "Q4_0", "Llama-3.2-1B-Instruct-Q4_0.gguf"],
  [bartowski, "Q8_0", "Llama-3.2-1B-Instruct-Q8_0.gguf"],
  [bartowski, "F16", "Llama-3.2-1B-Instruct-f16.gguf"],
  [bartowski, "IQ4_XS", "Llama-3.2-1B-Instruct-IQ4_XS.gguf"],
  [bartowski, "Q4_0_4_4", "Llama-3.2-1B-Instruct-Q4_0_4_4.gguf"],
  [bartowski, "Q4_K", undefined],
  [bartowski, "Q5_K_M", undefined],
  // The tag is looked for wherever it stands, before a dot or dash.
  [bartowski, "1B", "Llama-3.2-1B-Instruct-IQ3_M.gguf"],
  [folders, undefined, "Q4_K_M/big-Q4_K_M-00001-of-00002.gguf"],
  [folders, "BF16", "BF16/big-BF16-00001-of-00003.gguf"],
  [folders, "IQ1_S", "UD-IQ1_S/big-UD-IQ1_S.gguf"],
  [folders, "UD-IQ1_S", "UD-IQ1_S/big-UD-IQ1_S.gguf"],
  [folders, "Q2_K", "big-Q2_K.gguf"],
  [folders, "unsloth", undefined],
  [vision, undefined, "model-Q8_0.gguf"],
  [vision, "Q8_0", "model-Q8_0.gguf"],
  [vision, "Q4_K_M", undefined],
  [vision, "model", "model-Q4_0.gguf"],
  [dots, undefined, "qwen2.5.q4_k_m.gguf"],
  [dots, "Q8_0", "qwen2.5.q8_0.gguf"],
  [one, undefined, "tiny.gguf"],
  [one, "Q4_K_M", undefined],
  [none, undefined, undefined],
  [none, "F16", undefined],
  [drafts, undefined, "x-F16.gguf"],
  [drafts, "Q8_0", undefined],
  [["b-Q8_0.gguf", "a-Q4_K_M.GGUF"], undefined, "b-Q8_0.gguf"],
  [["z-F32.gguf", "a-F16.gguf"], undefined, "z-F32.gguf"],
  [
    ["m-q4_k_m-00002-of-00002.gguf", "m-q4_k_m-00001-of-00002.gguf"],
    "Q4_K_M",
    "m-q4_k_m-00001-of-00002.gguf",
  ],
  // No pattern: what a tag holds is meant by the letter.
  [["m-Q4xK.gguf", "m-Q8_0.gguf"], "Q4.K", undefined],
  [["m-Q4+.gguf"], "Q4+", "m-Q4+.gguf"],
  [[], undefined, undefined],
  [theBloke, undefined, "llama-2-7b-chat.Q4_K_M.gguf"],
  [theBloke, "q2_k", "llama-2-7b-chat.Q2_K.gguf"],
  [ggmlOrg, undefined, "gemma-3-1b-it-Q4_K_M.gguf"],
  [ggmlOrg, "F16", "gemma-3-1b-it-f16.gguf"],
  [unsloth, undefined, "Qwen3-0.6B-Q4_K_M.gguf"],
  [unsloth, "UD-Q4_K_XL", "Qwen3-0.6B-UD-Q4_K_XL.gguf"],
  [unsloth, "Q4_K_XL", "Qwen3-0.6B-UD-Q4_K_XL.gguf"],
  [unsloth, "Q2_K", undefined],
  [gptOss, undefined, "gpt-oss-20b-MXFP4-00001-of-00002.gguf"],
  [gptOss, "mxfp4", "gpt-oss-20b-MXFP4-00001-of-00002.gguf"],
  [embedding, undefined, "nomic-embed-text-v1.5.Q8_0.gguf"],
  [embedding, "F32", "nomic-embed-text-v1.5.f32.gguf"],
  [fromPhi, undefined, "Phi-3-mini-4k-instruct-fp16.gguf"],
  [fromPhi, "q4", "Phi-3-mini-4k-instruct-q4.gguf"],
  // The first tag of the defaults anywhere goes before the second, in whatever folder.
  [nested, undefined, "gguf/b/model-Q4_K_M.gguf"],
  [nested, "Q8_0", "gguf/a/model-Q8_0.gguf"],
  [ternary, undefined, "bitnet-TQ1_0.gguf"],
  [ternary, "TQ2_0", "bitnet-TQ2_0.gguf"],
  [splitDefault, undefined, "DeepSeek-Q4_K_M-00001-of-00003.gguf"],
  [splitDefault, "Q2_K", "DeepSeek-Q2_K-00001-of-00002.gguf"],
  [late, undefined, "x-Q8_0-00001-of-00002.gguf"],
  [versions, undefined, "m-v2-Q4_K_M.gguf"],
  [versions, "v2.1", "m-v2.1-Q4_K_M.gguf"],
  // Whatever has to do with an importance matrix by its name is none.
  [imatrices, undefined, "m-Q5_K_M.gguf"],
  [imatrices, "Q4_K_M", undefined],
  [vl, undefined, "Qwen2.5-VL-Q4_K_M.gguf"],
  [vl, "F16", undefined],
  [["a-Q4_K_M-fix.gguf"], "Q4_K_M", "a-Q4_K_M-fix.gguf"],
  [["aQ8_0.gguf", "b_Q8_0.gguf"], "Q8_0", "aQ8_0.gguf"],
  [["Q8_0/readme.md", "Q8_0/m.gguf"], "Q8_0", undefined],
  [["model.gguf.part", "model.GGUF"], undefined, undefined],
];

describe("the choice of a file", () => {
  it.each(table.map(([paths, quant, file]) => ({ paths, quant, file })))(
    "of $paths.length files by $quant is $file",
    ({ paths, quant, file }) => expect(chooseFile(paths, quant)).toBe(file),
  );

  it("brings all parts of a split model, in order", () => {
    const mixed = [...folders].reverse();
    expect(partsOf(mixed, "BF16/big-BF16-00001-of-00003.gguf")).toEqual(folders.slice(0, 3));
    expect(partsOf(mixed, "big-Q2_K.gguf")).toEqual(["big-Q2_K.gguf"]);
    expect(partCount("BF16/big-BF16-00001-of-00003.gguf")).toBe(3);
    expect(partCount("big-Q2_K.gguf")).toBe(1);
  });

  it("names what there is instead", () => {
    expect(quantsIn(folders)).toEqual(["BF16", "Q4_K_M", "IQ1_S", "Q2_K"]);
    expect(modelsIn(vision)).toEqual(["model-Q4_0.gguf", "model-Q8_0.gguf"]);
    expect(quantsIn(none)).toEqual([]);
  });
});
