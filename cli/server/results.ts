/** Parts of answers that several endpoints share: usage, timings, log-probabilities. */
import type { Answer, FinishReason, Piece, Tokenizer, Usage } from "../../mod.ts";

/** OpenAI's `usage`, of one prompt and all answers to it. */
export function usageOf(answers: readonly Answer[]): Record<string, unknown> {
  const prompt = answers[0].usage.promptTokens;
  const completion = answers.reduce((sum, { usage }) => sum + usage.completionTokens, 0);
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: {
      cached_tokens: Math.max(...answers.map((one) => one.usage.cachedTokens)),
    },
  };
}

/** llama-server's `timings`. */
export function timingsOf(usage: Usage): Record<string, number> {
  const prompt = usage.promptTokens - usage.cachedTokens;
  const predicted = usage.completionTokens;
  const each = (ms: number, tokens: number): number => (tokens > 0 ? ms / tokens : 0);
  const rate = (ms: number, tokens: number): number => (ms > 0 ? (tokens / ms) * 1000 : 0);
  return {
    cache_n: usage.cachedTokens,
    prompt_n: prompt,
    prompt_ms: usage.promptMs,
    prompt_per_token_ms: each(usage.promptMs, prompt),
    prompt_per_second: rate(usage.promptMs, prompt),
    predicted_n: predicted,
    predicted_ms: usage.completionMs,
    predicted_per_token_ms: each(usage.completionMs, predicted),
    predicted_per_second: rate(usage.completionMs, predicted),
    ...(usage.speculation && {
      draft_n: usage.speculation.drafted,
      draft_n_accepted: usage.speculation.accepted,
    }),
  };
}

/** OpenAI's reason why an answer ended. */
export function finishReason(
  reason: FinishReason,
): "stop" | "length" | "tool_calls" | "content_filter" {
  switch (reason) {
    case "tool-calls":
      return "tool_calls";
    case "length":
    case "context":
      return "length";
    case "content-filter":
      return "content_filter";
    default:
      return "stop";
  }
}

/** A token's text and bytes. */
export function tokenText(tokenizer: Tokenizer, id: number): { token: string; bytes: number[] } {
  const bytes = tokenizer.bytes(id, true);
  return { token: new TextDecoder().decode(bytes), bytes: [...bytes] };
}

/** A logarithm as JSON has it: -Infinity is no number there. */
export const logprob = (value: number): number => Math.max(value, -9999);

/** A token's log-probability in OpenAI's form, with those of the most likely ones. */
export function tokenLogprob(tokenizer: Tokenizer, piece: Piece): Record<string, unknown> {
  return {
    ...tokenText(tokenizer, piece.token!),
    logprob: logprob(piece.logprob ?? 0),
    top_logprobs: (piece.topLogprobs ?? []).map((top) => ({
      ...tokenText(tokenizer, top.token),
      logprob: logprob(top.logprob),
    })),
  };
}

/** Whether a piece stands for a token of the text: an end token is none of it. */
export const isOfText = (tokenizer: Tokenizer, { token, logprob }: Piece): boolean =>
  token !== undefined && logprob !== undefined && !tokenizer.endTokens.has(token);
