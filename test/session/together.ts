/** Four sessions of one model, each with its own way of sampling. */
import { type GenerateOptions, type LoadOptions, loadModel, type Model } from "../../mod.ts";
import { fixture } from "../fixture.ts";
import { BUNDLED } from "./suite.ts";

const PROMPTS = [
  "Tell me a story about a fox who lost a hat.",
  "What is 7 + 5?",
  "Tell me a story about a brave mouse.",
  "The cat has a blue coat. What is the cat's coat colour?",
];
const OPTIONS: readonly GenerateOptions[] = [
  { temperature: 0 },
  { temperature: 1, seed: 4, repeatPenalty: 1.2 },
  { temperature: 0.8, seed: 5, typicalP: 0.95 },
  { temperature: 0, speculation: "ngram" },
];

/** What they answer: at the same time, or one after the other. */
export async function answers(options: LoadOptions, together: boolean): Promise<number[][]> {
  const model: Model = await loadModel(await fixture(BUNDLED), {
    contextLength: 384,
    maxSequences: 4,
    ...options,
  });
  const one = async (i: number): Promise<number[]> => {
    const session = model.session();
    const prompt = [{ role: "user", content: PROMPTS[i] }];
    const ids: number[] = [];
    for await (const piece of session.generate(prompt, { ...OPTIONS[i], maxTokens: 24 }))
      ids.push(piece.token!);
    await session.dispose();
    return ids;
  };
  const texts: number[][] = [];
  if (together) texts.push(...(await Promise.all(PROMPTS.map((_, i) => one(i)))));
  else for (let i = 0; i < PROMPTS.length; i++) texts.push(await one(i));
  await model.dispose();
  return texts;
}
