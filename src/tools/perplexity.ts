/** Perplexity of a text, counted as llama.cpp's `llama-perplexity` counts it. */
import { WebggufError } from "../base/errors.ts";
import {
  callback,
  checkOptions,
  type Rules,
  rule,
  signal,
  text as textRule,
  whole,
} from "../base/options.ts";
import { logSumExp } from "../sample/logprobs.ts";
import type { Model } from "../session/types.ts";

export interface PerplexityOptions {
  /** Tokens of a chunk (`-c`), at least 3. @default the model's context, at most 512 */
  context?: number;
  /** After each chunk: how many are done, of how many, and the perplexity so far. */
  onChunk?: (done: number, chunks: number, perplexity: number) => void;
  signal?: AbortSignal;
}

const rules: Rules<PerplexityOptions> = { context: whole(0), onChunk: callback, signal };

export interface Perplexity {
  /** exp of the mean of `nll`. */
  readonly perplexity: number;
  /** Standard error of the perplexity. */
  readonly error: number;
  readonly chunks: number;
  /** −ln p of each counted token, chunk after chunk. */
  readonly nll: Float64Array;
}

/**
 * The text is tokenized whole, without reading special tokens in it, and split into chunks of
 * `context` tokens (a rest is dropped). Each chunk is computed alone, its first token being BOS
 * where the model adds one. Counted are the predictions made at the second half of the positions,
 * so that each has at least half a context before it.
 */
export async function perplexity(
  model: Model,
  text: string,
  options: PerplexityOptions = {},
): Promise<Perplexity> {
  checkOptions(options, rules);
  rule("a loaded model", (one) => typeof Object(one).session === "function")(model, "model");
  textRule(text, "the text");
  const { tokenizer } = model;
  const context = options.context || Math.min(model.contextLength, 512);
  // Of fewer tokens none has half a chunk before it and one behind it.
  whole(3)(context, "context");
  if (context > model.contextLength)
    throw new WebggufError(
      "context/overflow",
      `Cannot compute chunks of ${context} tokens: the context holds ${model.contextLength}; load the model with a larger contextLength`,
      { expected: model.contextLength, actual: context },
    );
  const ids = tokenizer.encode(text, { addSpecial: true, parseSpecial: false });
  if (ids.length < 2 * context)
    throw new WebggufError(
      "input/invalid",
      `Cannot measure perplexity at a context of ${context}: the text has ${ids.length} tokens; give at least ${2 * context}`,
      { expected: 2 * context, actual: ids.length },
    );
  const chunks = Math.floor(ids.length / context);
  const first = context >> 1;
  const counted = context - first - 1;
  const nll = new Float64Array(chunks * counted);
  const session = model.session();
  let sum = 0;
  try {
    for (let chunk = 0; chunk < chunks; chunk++) {
      const tokens = ids.slice(chunk * context, (chunk + 1) * context);
      if (tokenizer.addBos && tokenizer.bos !== undefined) tokens[0] = tokenizer.bos;
      session.reset();
      const logits = await session.logits(tokens, { signal: options.signal });
      const width = logits.length / context;
      for (let i = 0; i < counted; i++) {
        const row = logits.subarray((first + i) * width, (first + i + 1) * width);
        const value = logSumExp(row) - row[ids[chunk * context + first + i + 1]];
        nll[chunk * counted + i] = value;
        sum += value;
      }
      options.onChunk?.(chunk + 1, chunks, Math.exp(sum / ((chunk + 1) * counted)));
    }
  } finally {
    await session.dispose();
  }
  const mean = sum / nll.length;
  let squares = 0;
  for (const value of nll) squares += (value - mean) ** 2;
  const deviation = Math.sqrt(squares / nll.length / Math.max(1, nll.length - 1));
  return { perplexity: Math.exp(mean), error: deviation * Math.exp(mean), chunks, nll };
}
