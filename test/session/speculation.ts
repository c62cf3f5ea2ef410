/** What the tests of guessing ahead share: a model in F16 with a draft model in Q4_K_M, and answers with their counts. */
import {
  type GenerateOptions,
  type LoadOptions,
  loadModel,
  type Model,
  type Prompt,
} from "../../mod.ts";
import type { SpeculationStats, StopReason } from "../../src/session/types.ts";
import { fixture } from "../fixture.ts";

export const TARGET = "tiny-model/webgguf-tale-f16.gguf";
export const DRAFT = "tiny-model/webgguf-tale-q4_k_m.gguf";
export const STORY: readonly { role: string; content: string }[] = [
  { role: "user", content: "Tell me a story about a fox who lost a hat." },
];

type Kind = "none" | "ngram" | "draft";

export interface Answer {
  readonly ids: number[];
  readonly text: string;
  readonly stopReason?: StopReason;
  readonly held: readonly number[];
  readonly speculation?: SpeculationStats;
}

/** One answer of a new session. */
export async function answer(
  model: Model,
  speculation: Kind,
  prompt: Prompt,
  options: GenerateOptions,
): Promise<Answer> {
  const session = model.session();
  const ids: number[] = [];
  let text = "";
  for await (const piece of session.generate(prompt, { ...options, speculation })) {
    ids.push(piece.token);
    text += piece.text;
  }
  const { stopReason, speculation: counts } = session.stats();
  const held = session.tokens.slice();
  await session.dispose();
  return { ids, text, stopReason, held, speculation: counts };
}

export const perStep = ({ tokens, steps }: SpeculationStats): number => tokens / steps;
export const report = (what: string, { speculation: s }: Answer): void =>
  console.log(
    `${what}: ${s!.tokens} tokens in ${s!.steps} steps (${perStep(s!).toFixed(2)} a step), ` +
      `${s!.accepted} of ${s!.drafted} guesses right`,
  );

/** The target with its draft model. */
export const load = async (options: LoadOptions): Promise<Model> =>
  loadModel(await fixture(TARGET), {
    contextLength: 256,
    ...options,
    speculation: { model: await fixture(DRAFT) },
  });
