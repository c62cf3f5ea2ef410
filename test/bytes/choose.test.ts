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
