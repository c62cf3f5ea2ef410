/** Who samples the tokens of an answer: the executor where it can, else the host's sampler. */
import { logprobs } from "../sample/logprobs.ts";
import { createSampler } from "../sample/sampler.ts";
import type { Loaded } from "./loaded.ts";
import type { Sampling } from "./step.ts";
import type { GenerateOptions } from "./types.ts";

/**
 * The executor samples what it can. Everything else is sampled here from the logits. Either way a
 * random number belongs to the token's position (with sequence 0, whichever the executor uses), so
 * a text goes on the same after an interruption and does not depend on who samples.
 *
 * @param items the whole conversation that the answer follows; penalties and DRY know its tokens alone
 */
export function samplingFor(
  model: Pick<Loaded, "graph" | "executor" | "tokenizer">,
  items: readonly number[],
  options: GenerateOptions,
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
  if (device && wanted === undefined && !given) return { on: "device", settings: device };
  for (const item of items) if (item >= 0) sampler.accept(item);
  let position = items.length;
  return {
    on: "host",
    sample(logits) {
      const token = sampler.sample(logits, 0, position++);
      sampler.accept(token);
      if (wanted === undefined) return { token };
      const { logprob, top } = logprobs(logits, token, wanted);
      return { token, logprob, topLogprobs: top };
    },
  };
}
