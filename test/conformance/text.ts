/** The areas that compute no model: tokenizers, chat templates and sampler chains. */
import { bufferSource } from "../../src/bytes/buffer.ts";
import { Metadata } from "../../src/file/metadata.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { createTokenizer } from "../../src/tokenizer/tokenizer.ts";
import { atMost, type Case, ifThere, type Reader, readFloats, readJson } from "./case.ts";
import { checkSamplingCases, type SamplingCases } from "./sampling.ts";
import { checkTokenizerCases } from "./tokenizers.ts";

const decoder = new TextDecoder();

/** Vocabularies that are another one's file with a key changed: name → file and pre-tokenizer. */
const DERIVED: Readonly<Record<string, readonly [string, string]>> = {
  "ggml-vocab-qwen35.gguf": ["ggml-vocab-qwen2.gguf", "qwen35"],
};

/** One case a vocabulary: all texts, both ways. */
export async function tokenizerCases(reader: Reader): Promise<Case[]> {
  const extra = await ifThere(readJson<Record<string, unknown>>(reader, "tokenizers/extra.json"));
  const index = await ifThere(
    readJson<{ files: { file: string }[] }>(reader, "tokenizers/index.json"),
  );
  const listed = (index?.files ?? [])
    .map(({ file }) => file.replace(/\.(inp|out)$/, ""))
    .filter((file) => file.endsWith(".gguf"));
  const names = new Set([
    ...listed,
    ...Object.keys(extra ?? {}).filter((name) => name.endsWith(".gguf")),
  ]);
  return [...names].sort().map((name) => ({
    name: `tokenizers/${name.replace(/\.gguf$/, "")}`,
    computes: false,
    async run() {
      const [file, pre] = DERIVED[name] ?? [name, undefined];
      const bytes = await reader(`tokenizers/${file}`);
      const { metadata } = await readGguf(bufferSource(bytes, name), { headerOnly: true });
      const entries = new Map(metadata);
      if (pre !== undefined) entries.set("tokenizer.ggml.pre", pre);
      const tokenizer = createTokenizer(new Metadata(name, entries));
      const inp = await ifThere(reader(`tokenizers/${name}.inp`));
      const out = await ifThere(reader(`tokenizers/${name}.out`));
      const { failures } = checkTokenizerCases(
        tokenizer,
        inp && out ? decoder.decode(inp) : "",
        inp && out ? decoder.decode(out) : "",
        extra?.[name],
      );
      return [atMost("comparisons that fail", failures.length, 0)];
    },
  }));
}

/** One case a chain. */
export async function samplingCases(reader: Reader): Promise<Case[]> {
  const cases = await ifThere(readJson<SamplingCases>(reader, "sampling/cases.json"));
  if (!cases) return [];
  const files = [...new Set(cases.cases.map((one) => one.logits))];
  const logits = new Map<string, Float32Array>();
  for (const file of files) {
    const values = await ifThere(readFloats(reader, `sampling/${file}`));
    if (values) logits.set(file, values);
  }
  const there = { ...cases, cases: cases.cases.filter((one) => logits.has(one.logits)) };
  const checks = checkSamplingCases(there, (file) => logits.get(file) as Float32Array);
  return checks.map(({ name, ...outcome }) => ({
    name,
    computes: false,
    run: () => Promise.resolve([outcome]),
  }));
}
