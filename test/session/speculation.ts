/** What the tests of speculative decoding share: a model in F16 with a draft model in Q4_K_M, and answers with their counts. */
import {
  type GenerateOptions,
  type LoadOptions,
  loadModel,
  type Model,
  type Prompt,
} from "../../mod.ts";
import type { FinishReason, SpeculationStats } from "../../src/session/types.ts";
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
  readonly finishReason?: FinishReason;
  readonly held: readonly number[];
  readonly speculation?: SpeculationStats;
}

/** Answers equal each other whatever time they took. */
const times = new WeakMap<Answer, number>();

/** One answer of a new session. */
export async function answer(
  model: Model,
  speculation: Kind,
  prompt: Prompt,
  options: GenerateOptions,
): Promise<Answer> {
  const session = model.session();
  const started = performance.now();
  const ids: number[] = [];
  let text = "";
  for await (const piece of session.generate(prompt, { ...options, speculation })) {
    ids.push(piece.token!);
    text += piece.text;
  }
  const took = performance.now() - started;
  const { finishReason, speculation: counts } = session.stats();
  const held = session.tokens.slice();
  await session.dispose();
  const told = { ids, text, finishReason, held, speculation: counts };
  times.set(told, took);
  return told;
}

export const perStep = ({ tokens, steps }: SpeculationStats): number => tokens / steps;
/** Prints the counts and the speed against the same answer `plain` without drafts; software adapters gain nothing. */
export function report(what: string, speculative: Answer, plain: Answer): void {
  const { tokens, steps, accepted, drafted } = speculative.speculation!;
  const ratio = times.get(plain)! / times.get(speculative)!;
  console.log(
    `${what}: ${tokens} tokens in ${steps} steps (${(tokens / steps).toFixed(2)} a step), ` +
      `${accepted} of ${drafted} drafted tokens accepted, ${ratio.toFixed(2)} times the speed without`,
  );
}

/** The target with its draft model. */
export const load = async (options: LoadOptions): Promise<Model> =>
  loadModel(await fixture(TARGET), {
    contextLength: 256,
    ...options,
    speculation: { model: await fixture(DRAFT) },
  });
