/** The bundled model through the whole engine: greedy texts, logits, perplexity, token ids. */
import { bufferSource } from "../../src/bytes/buffer.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { buildGraph } from "../../src/models/index.ts";
import { loadModel } from "../../src/session/model.ts";
import type { LoadOptions, Model } from "../../src/session/types.ts";
import { createTokenizer } from "../../src/tokenizer/tokenizer.ts";
import { perplexity } from "../../src/tools/perplexity.ts";
import { feed, nmse } from "./archs.ts";
import {
  atMost,
  type Case,
  ifThere,
  type Outcome,
  type Reader,
  readFloats,
  readJson,
} from "./case.ts";

interface Greedy {
  readonly files: Readonly<Record<string, readonly GreedyCase[]>>;
}
interface GreedyCase {
  readonly prompt: string;
  readonly messages?: readonly { readonly role: string; readonly content: string }[];
  readonly ids: readonly number[];
  readonly text: string;
}

/** `reader` reads below the folder `tiny-model`; `load` says how its models are loaded. */
export async function tinyModelCases(reader: Reader, load: LoadOptions): Promise<Case[]> {
  const greedy = await ifThere(readJson<Greedy>(reader, "greedy.json"));
  const cases: Case[] = [];
  for (const [file, list] of Object.entries(greedy?.files ?? {})) {
    const short = file.replace(/\.gguf$/, "");
    const withModel = async (run: (model: Model) => Promise<Outcome[]>): Promise<Outcome[]> => {
      const model = await loadModel(bufferSource(await reader(file), file), load);
      try {
        return await run(model);
      } finally {
        await model.dispose();
      }
    };
    list.forEach((one, i) => {
      cases.push({
        name: `tiny-model/${short}/greedy-${i + 1}`,
        computes: true,
        run: () => withModel((model) => runGreedy(model, one)),
      });
    });
    cases.push({
      name: `tiny-model/${short}/logits`,
      computes: true,
      run: async ({ make, device, precision }) => {
        const { tokens, ids, files } = await readJson<{
          tokens?: number[];
          ids: number[];
          files: Record<string, string>;
        }>(reader, "tokens.json");
        const [name] = Object.entries(files).find(([, of]) => of === file) ?? [];
        if (name === undefined) return [];
        const expected = await readFloats(reader, name);
        const gguf = await readGguf(bufferSource(await reader(file), file));
        const options = { contextLength: 512, maxSequences: 1 };
        const executor = await make(buildGraph(gguf, options), gguf, options);
        const exact = device === "cpu" ? 1e-9 : 1e-6;
        const given = tokens ?? ids;
        try {
          const logits = await feed(executor, 0, given, given.length);
          return [atMost("nmse", nmse(logits, expected), precision === "f32" ? exact : 1e-4)];
        } finally {
          await executor.dispose();
        }
      },
    });
    cases.push({
      name: `tiny-model/${short}/perplexity`,
      computes: true,
      run: () => withModel((model) => runPerplexity(reader, model, file)),
    });
  }
  if (greedy)
    cases.push({
      name: "tiny-model/tokenizer",
      computes: false,
      run: () => runTokenizer(reader, greedy),
    });
  return cases;
}

async function runGreedy(model: Model, one: GreedyCase): Promise<Outcome[]> {
  const session = model.session();
  const ids: number[] = [];
  let text = "";
  const { tokenizer } = model;
  const options = { temperature: 0, maxTokens: one.ids.length };
  for await (const piece of session.generate(one.messages ?? one.prompt, options)) {
    if (piece.token !== undefined) ids.push(piece.token);
    // The reference spells out the end token, which a piece has without text.
    const special = piece.token !== undefined && tokenizer.isSpecial(piece.token);
    text += special ? tokenizer.token(piece.token!) : piece.text;
  }
  let differing = Math.abs(ids.length - one.ids.length);
  for (let i = 0; i < Math.min(ids.length, one.ids.length); i++)
    if (ids[i] !== one.ids[i]) differing++;
  return [
    atMost("tokens that differ", differing, 0),
    atMost(
      "characters too few or wrong",
      text === one.text ? 0 : firstDifference(text, one.text),
      0,
    ),
  ];
}

/** Characters of the expected text from the first difference on, at least 1. */
function firstDifference(actual: string, expected: string): number {
  let same = 0;
  while (same < expected.length && actual[same] === expected[same]) same++;
  return Math.max(1, expected.length - same);
}

async function runPerplexity(reader: Reader, model: Model, file: string): Promise<Outcome[]> {
  const wanted = await readJson<{
    context: number;
    files: Readonly<Record<string, { readonly perplexity: number }>>;
  }>(reader, "perplexity.json");
  const text = new TextDecoder().decode(await reader("heldout.txt"));
  const expected = wanted.files[file]?.perplexity;
  if (expected === undefined) return [];
  const measured = await perplexity(model, text, { context: wanted.context });
  return [atMost("relative difference", Math.abs(measured.perplexity / expected - 1), 1e-3)];
}

async function runTokenizer(reader: Reader, greedy: Greedy): Promise<Outcome[]> {
  const [file] = Object.keys(greedy.files);
  const { metadata } = await readGguf(bufferSource(await reader(file), file), { headerOnly: true });
  const tokenizer = createTokenizer(metadata);
  const cases = await readJson<{ text: string; ids: number[]; ids_with_special: number[] }[]>(
    reader,
    "tokenizer-cases.json",
  );
  let wrong = 0;
  for (const { text, ids, ids_with_special: special } of cases) {
    const same = (parseSpecial: boolean, expected: readonly number[]): boolean =>
      String(tokenizer.encode(text, { addSpecial: false, parseSpecial })) === String(expected);
    if (!same(false, ids) || !same(true, special)) wrong++;
  }
  return [atMost("texts that differ", wrong, 0)];
}
