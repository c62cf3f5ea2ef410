/** Who samples the tokens of an answer: the executor where it can, else the host's sampler. */
import { logprobs } from "../sample/logprobs.ts";
import { createSampler } from "../sample/sampler.ts";
import type { Constraint } from "./constraint.ts";
import type { Loaded } from "./loaded.ts";
import type { Sampling } from "./step.ts";
import type { GenerateOptions } from "./types.ts";

/**
 * The executor samples what it can. Everything else is sampled here from the logits. Either way a
 * random number belongs to the token's position (with sequence 0, whichever the executor uses), so
 * a text goes on the same after an interruption and does not depend on who samples.
 *
 * @param constraint holds the answer to a form, which the host sees to
 * @param items the whole conversation that the answer follows; penalties and DRY know its tokens alone
 */
export function samplingFor(
  model: Pick<Loaded, "graph" | "executor" | "tokenizer">,
  items: readonly number[],
  options: GenerateOptions,
  constraint?: Constraint,
): Sampling {
  const sampler = createSampler(options, {
    vocabulary: model.graph.vocabulary,
    contextLength: model.executor.contextLength,
    tokenText: (id) => model.tokenizer.decode([id], { unparseSpecial: true }),
    tokenize: (text) => model.tokenizer.encode(text, { addSpecial: false, parseSpecial: false }),
  });
  const wanted = options.logprobs;
  const device = sampler.deviceSampling();
  // Executors count given rows among the places that they look back upon.
  const { lastN } = device?.penalties ?? { lastN: 0 };
  const given = lastN > 0 && items.slice(-lastN).some((item) => item < 0);
  if (device && wanted === undefined && !given && !constraint)
    return { on: "device", settings: device };
  for (const item of items) if (item >= 0) sampler.accept(item);
  let position = items.length;
  const accept = (token: number): void => {
    position++;
    sampler.accept(token);
    constraint?.accept(token);
  };
  return {
    on: "host",
    prepare: () => constraint?.prepare(),
    forced() {
      const token = constraint?.forced() ?? -1;
      if (token < 0 || wanted !== undefined) return -1;
      constraint!.forcedTokens++;
      accept(token);
      return token;
    },
    allowed: (draft) => constraint?.allowed(draft) ?? draft.length,
    sample(logits) {
      const sample = (from: Float32Array): number => sampler.sample(from, 0, position);
      const token = constraint ? constraint.sample(logits, sample) : sample(logits);
      accept(token);
      if (wanted === undefined) return { token };
      const { logprob, top } = logprobs(logits, token, wanted);
      return { token, logprob, topLogprobs: top };
    },
  };
}
