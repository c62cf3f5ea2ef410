/** `webgguf quantize`: a model in a smaller type, byte for byte as llama-quantize writes it. */
import path from "node:path";
import { findRecipe } from "../../src/quantize/recipes.ts";
import { type QuantizedTensor, quantize as run } from "../../src/tools/mod.ts";
import type { Command } from "../command.ts";
import { usage, type Values } from "../flags.ts";
import { GETTING_FLAGS, gettingOptions } from "../getting.ts";
import { interruptible } from "../model.ts";
import { loadReporting, note, print, readText } from "../terminal.ts";

export const quantize: Command = {
  name: "quantize",
  summary: "Write a model in a smaller type, as llama-quantize does: quantize IN [OUT] TYPE",
  examples: [
    "webgguf quantize model-f16.gguf model-q4_k_m.gguf Q4_K_M",
    "webgguf quantize --imatrix imatrix.gguf model-f16.gguf model-iq2_xs.gguf IQ2_XS",
    "webgguf quantize --dry-run model-f16.gguf Q4_K_M",
  ],
  words: 3,
  flags: [
    { names: ["--imatrix"], value: "FILE", help: "importance of the weights (GGUF or .dat)" },
    {
      names: ["--include-weights"],
      value: "NAME",
      many: true,
      help: "use importance only for tensors with this in their name",
    },
    {
      names: ["--exclude-weights"],
      value: "NAME",
      many: true,
      help: "use no importance for tensors with this in their name",
    },
    { names: ["--pure"], help: "all matrices in the same type" },
    { names: ["--leave-output-tensor"], help: "leave output.weight as it is" },
    { names: ["--output-tensor-type"], value: "TYPE", help: "tensor type of output.weight" },
    { names: ["--token-embedding-type"], value: "TYPE", help: "tensor type of the embeddings" },
    {
      names: ["--tensor-type"],
      value: "RE=TYPE",
      many: true,
      help: "tensor type of those in whose names the regular expression is found",
    },
    {
      names: ["--tensor-type-file"],
      value: "FILE",
      help: "a file of RE=TYPE, one after the other",
    },
    { names: ["--allow-requantize"], help: "quantise what is quantised already: loses more" },
    { names: ["--keep-split"], help: "as many files as the model has, OUT-00001-of-0000N.gguf" },
    { names: ["--dry-run"], help: "show types and sizes, write nothing" },
    { names: ["--json"], help: "one JSON object in the end, instead of lines" },
    ...GETTING_FLAGS,
  ],
  async run(values) {
    const { input, output, type } = wordsOf(values);
    const json = values.switch("json");
    const dry = values.switch("dry-run");
    const included = values.texts("include-weights");
    const excluded = values.texts("exclude-weights");
    if (included.length > 0 && excluded.length > 0)
      throw usage("--include-weights and --exclude-weights exclude each other");
    const tensorTypes = await typesOf(values);
    const imatrix = values.text("imatrix");
    const outputTensorType = values.text("output-tensor-type");
    const tokenEmbeddingType = values.text("token-embedding-type");
    const report = await interruptible((signal) =>
      run(input, type, {
        ...gettingOptions(values),
        onNotice: loadReporting().onNotice,
        ...(!dry && { output: output ?? besideInput(input, type, values.switch("keep-split")) }),
        ...(imatrix !== undefined && { imatrix }),
        ...(included.length > 0 && { includeWeights: included }),
        ...(excluded.length > 0 && { excludeWeights: excluded }),
        ...(outputTensorType !== undefined && { outputTensorType }),
        ...(tokenEmbeddingType !== undefined && { tokenEmbeddingType }),
        ...{ pure: values.switch("pure"), leaveOutputTensor: values.switch("leave-output-tensor") },
        ...{ tensorTypes, allowRequantize: values.switch("allow-requantize") },
        keepSplit: values.switch("keep-split"),
        signal,
        ...(!json && {
          onTensor: (tensor, number, count) => void print(line(tensor, number, count)),
        }),
      }),
    );
    if (json) {
      await print(`${JSON.stringify(report)}\n`);
      return 0;
    }
    const { tensors, parameters, bytesBefore, bytes, files } = report;
    if (dry) for (const [i, one] of tensors.entries()) await print(line(one, i, tensors.length));
    const size = (of: number): string =>
      `${mib(of)} MiB (${((8 * of) / parameters).toFixed(2)} bits a weight)`;
    await print(`model size  = ${size(bytesBefore)}\nquant size  = ${size(bytes)}\n`);
    const fallbacks = tensors.filter((one) => one.insteadOf !== undefined).length;
    if (fallbacks > 0)
      note(
        `${fallbacks} of ${tensors.length} tensors have another type, as their rows fit no blocks`,
      );
    if (dry && imatrix === undefined && tensors.some((one) => one.needsImportance))
      note("This type needs an importance matrix (--imatrix)");
    for (const file of files) note(`Written: ${file}`);
    return 0;
  },
};

/** IN [OUT] TYPE: a second word that is a type is the type. */
function wordsOf(values: Values): { input: string; output: string | undefined; type: string } {
  const named = values.hasModel();
  const words = named ? [values.model(), ...values.positionals] : [...values.positionals];
  const [input, second, third] = words;
  if (input === undefined || second === undefined)
    throw usage("What is to be quantised, and to which type? webgguf quantize IN [OUT] TYPE");
  if (third === undefined) {
    if (findRecipe(second)) return { input, output: undefined, type: second };
    if (/[./\\]/.test(second))
      throw usage(`The type is missing; for example: webgguf quantize ${input} ${second} Q4_K_M`);
    return { input, output: undefined, type: second };
  }
  return { input, output: second, type: third };
}

/** llama-quantize's name for what has none. */
function besideInput(input: string, type: string, split: boolean): string {
  if (/^(hf|https?):/i.test(input)) throw usage("A model from afar needs a name for the output");
  const name = `ggml-model-${findRecipe(type)?.name ?? type}${split ? "" : ".gguf"}`;
  return path.join(path.dirname(input), name);
}

async function typesOf(values: Values): Promise<(readonly [string, string])[]> {
  const file = values.text("tensor-type-file");
  const words = file === undefined ? [] : (await readText(file)).split(/\s+/).filter(Boolean);
  return [...values.texts("tensor-type"), ...words].map((word) => {
    const at = word.indexOf("=");
    if (at < 1 || at === word.length - 1)
      throw usage(`--tensor-type wants RE=TYPE, not "${word}"; for example: attn_v=q8_0`);
    return [word.slice(0, at), word.slice(at + 1)] as const;
  });
}

const mib = (bytes: number): string => (bytes / 1048576).toFixed(2);

function line(
  { name, shape, from, to, bytesBefore, bytes }: QuantizedTensor,
  i: number,
  count: number,
): string {
  const size =
    from === to
      ? `${from}, ${mib(bytes)} MiB`
      : `${from} → ${to}, ${mib(bytesBefore)} → ${mib(bytes)} MiB`;
  const number = `[${String(i + 1).padStart(String(count).length)}/${count}]`;
  return `${number} ${name.padEnd(36)} ${shape.join(" × ").padEnd(16)} ${size}\n`;
}
