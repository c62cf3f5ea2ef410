/** Random requests to one model, at once or each alone: what they say must not depend on it. */
import { expect } from "vitest";
import {
  type GenerateOptions,
  type LoadOptions,
  loadModel,
  type Model,
  type Piece,
} from "../../mod.ts";
import { type Backend, backends } from "../../src/session/backends.ts";
import { fixture, fixtureJson } from "../fixture.ts";
import type { Numbers } from "../kernels/run.ts";
import { withBackends } from "./fake-model.ts";

export interface Asked {
  readonly prompt: readonly number[];
  readonly options: GenerateOptions;
  /** It is aborted after so many tokens, or before anything is computed. */
  readonly tokens: number;
}

type Said = Pick<Piece, "token" | "logprob" | "topLogprobs">[];

/** Prompts that share beginnings, sampled in every way: greedily, by seeds, with log-probabilities and penalties. */
export async function randomRequests(
  numbers: Numbers,
  name: string,
  count: number,
  most: number,
): Promise<Asked[]> {
  const { tokens } = await fixtureJson<{ tokens: number[] }>(`reference/archs/${name}.tokens.json`);
  const text = (length: number): number[] =>
    Array.from({ length }, () => numbers.pick(tokens) as number);
  const beginnings = [1, 31, 32, 64, 90].map((length) => text(length));
  return Array.from({ length: count }, () => {
    const kind = numbers.integer(0, 5);
    const temperature = kind < 2 ? 0 : 1;
    const aborted = numbers.integer(0, 3) === 0;
    return {
      prompt: [...numbers.pick(beginnings), ...text(numbers.integer(1, 40))],
      options: {
        ...{ temperature, seed: numbers.integer(1, 4), ignoreEos: true },
        maxTokens: numbers.integer(1, most),
        ...(kind % 2 === 1 && { logprobs: 2 }),
        ...(kind === 4 && { repeatPenalty: 1.3 }),
        ...(numbers.integer(0, 2) === 0 && { speculation: numbers.pick(["ngram", "draft"]) }),
      },
      tokens: aborted ? numbers.integer(0, most) : Number.POSITIVE_INFINITY,
    };
  });
}

async function say(model: Model, { prompt, options, tokens }: Asked): Promise<Said> {
  const said: Said = [];
  const stop = new AbortController();
  const session = model.session();
  try {
    if (tokens === 0) stop.abort("enough");
    for await (const piece of session.generate(prompt, { ...options, signal: stop.signal })) {
      const { token, logprob, topLogprobs } = piece;
      if (said.push({ token, logprob, topLogprobs }) >= tokens) stop.abort("enough");
    }
  } catch (reason) {
    if (reason !== "enough") throw reason;
  } finally {
    await session.dispose();
  }
  return said;
}

/** Real devices whose sequences never begin with what others computed. */
const forgetful = (): Backend[] =>
  backends.map((backend) => ({
    ...backend,
    async open(name, instruments) {
      const device = await backend.open(name, instruments);
      return {
        ...device,
        async load(...args) {
          const executor = await device.load(...args);
          executor.begin = (sequence) => executor.length(sequence);
          return executor;
        },
      };
    },
  }));

export interface Terms {
  readonly name: string;
  readonly load: LoadOptions;
  readonly requests: readonly Asked[];
}

/** A model with itself as its draft model. */
async function open({ name, load }: Terms, atOnce: number): Promise<Model> {
  const bytes = await fixture(`reference/archs/${name}.gguf`);
  return loadModel(bytes, { ...load, maxSequences: atOnce, speculation: { model: bytes } });
}

/** What each says when nothing else runs and nothing is kept. */
export const alone = (terms: Terms): Promise<Said[]> =>
  withBackends(forgetful(), async () => {
    const model = await open(terms, 1);
    const texts: Said[] = [];
    for (const asked of terms.requests)
      texts.push(await say(model, { ...asked, tokens: Number.POSITIVE_INFINITY }));
    await model.dispose();
    return texts;
  });

/** What all say with so many at once, which begin when they like; rows are shared where `cache` allows it. */
export async function together(
  terms: Terms,
  atOnce: number,
  cache: boolean,
  numbers: Numbers,
): Promise<Said[]> {
  const run = async (): Promise<Said[]> => {
    const model = await open(terms, atOnce);
    const texts: Said[] = [];
    let next = 0;
    const worker = async (): Promise<void> => {
      while (next < terms.requests.length) {
        const i = next++;
        for (let turns = numbers.integer(0, 60); turns > 0; turns--) await undefined;
        if (numbers.integer(0, 3) === 0) await new Promise((resolve) => setTimeout(resolve, 1));
        texts[i] = await say(model, terms.requests[i]);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
    // Nothing is lost: the whole context is there for one that comes afterwards.
    const { contextLength = 0 } = terms.load;
    const whole = new Array(contextLength - 2).fill(terms.requests[0].prompt[0]);
    await model.session().generate(whole, { maxTokens: 1, ignoreEos: true });
    await model.dispose();
    return texts;
  };
  return cache ? run() : withBackends(forgetful(), run);
}

/** Every text is that of the request alone, or its beginning where it was aborted. */
export function expectSame(
  texts: readonly Said[],
  { requests }: Terms,
  expected: readonly Said[],
): void {
  texts.forEach((said, i) => {
    const { tokens } = requests[i];
    expect(said.length).toBe(Math.min(tokens, expected[i].length));
    expect(said, `request ${i}`).toEqual(expected[i].slice(0, said.length));
  });
}
