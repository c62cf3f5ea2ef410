/** For the model that comes with the repository: whether it still says what llama.cpp says. */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { type LoadOptions, loadModel } from "../mod.ts";
import { perplexity } from "../src/tools/mod.ts";

export interface Quality {
  /** Over the first chunks of a held-out text. */
  readonly perplexity: number;
  /** llama.cpp's, of the same file and chunks. */
  readonly referencePerplexity: number;
  readonly greedyTexts: number;
  /** Those whose tokens are all as llama.cpp's. */
  readonly greedyEqual: number;
}

interface Greedy {
  readonly prompt: string;
  readonly ids: readonly number[];
}

/** Only a clone of the repository has the references. */
const folder = fileURLToPath(new URL("../test/fixtures/tiny-model/", import.meta.url));

/** Enough to see that something is wrong; the conformance run takes all of them. */
const CHUNKS = 4;
const TEXTS = 3;

const json = <T>(name: string): T => JSON.parse(readFileSync(path.join(folder, name), "utf8")) as T;

/** Null for other models, and where the references are not at hand. */
export async function measureQuality(
  model: string,
  options: LoadOptions & { readonly signal: AbortSignal },
): Promise<Quality | null> {
  if (!existsSync(path.join(folder, "greedy.json"))) return null;
  const file = path.basename(model);
  const { files } = json<{ files: Record<string, Greedy[]> }>("greedy.json");
  const texts = files[file]?.slice(0, TEXTS);
  if (!texts) return null;
  const reference = json<{
    context: number;
    ids: number[];
    files: Record<string, { nll: number[] }>;
  }>("perplexity.json");
  const loaded = await loadModel(model, { ...options, contextLength: 512 });
  try {
    const { signal } = options;
    const { context, ids: all } = reference;
    const heldOut = loaded.tokenizer.decode(all.slice(0, CHUNKS * context), {
      unparseSpecial: true,
    });
    const measured = await perplexity(loaded, heldOut, { context, signal });
    const nll = reference.files[file].nll.slice(0, measured.nll.length);
    const mean = nll.reduce((sum, one) => sum + one, 0) / nll.length;
    let equal = 0;
    for (const { prompt, ids } of texts) {
      const session = loaded.session();
      const said: number[] = [];
      const settings = { temperature: 0, maxTokens: ids.length, reasoning: false, signal };
      for await (const { token } of session.generate(prompt, settings))
        if (token !== undefined) said.push(token);
      await session.dispose();
      if (said.join() === ids.join()) equal++;
    }
    return {
      perplexity: measured.perplexity,
      referencePerplexity: Math.exp(mean),
      greedyTexts: texts.length,
      greedyEqual: equal,
    };
  } finally {
    await loaded.dispose();
  }
}
