/** `/v1/completions`: OpenAI's continuation of a text, whole or streamed. */
import type { Answer, Model, Piece } from "../../../mod.ts";
import { constraintFrom } from "../constraint.ts";
import { type Call, json, newId, now, withLease } from "../context.ts";
import { asApiError, errorBody } from "../errors.ts";
import { type Fields, readFields } from "../fields.ts";
import { complete, generate, type Job } from "../generate.ts";
import type { Served } from "../host.ts";
import { readPrompts } from "../prompt.ts";
import { finishReason, isOfText, logprob, timingsOf, tokenText, usageOf } from "../results.ts";
import { samplingFrom } from "../sampling.ts";
import type { ServerEvent } from "../sse.ts";
import { streamed } from "../streamed.ts";
import { maxTokens } from "./chat.ts";

/** OpenAI's default. */
const DEFAULT_MAX_TOKENS = 16;

export async function completions(call: Call): Promise<Response> {
  const body = await readFields(call.request, call.options);
  const wanted = body.text("model");
  const head = { id: newId("cmpl-"), object: "text_completion", created: now() };
  if (!body.flag("stream"))
    return withLease(call, wanted, async ({ served }) => {
      const { jobs, echo, top } = readCompletion(body, served.model);
      const found = [];
      for (const job of jobs) {
        const before = echo
          ? served.model.tokenizer.decode(job.tokens, { removeSpecial: true })
          : "";
        for (const { answer, pieces } of await complete(served, job, call.signal))
          found.push({ answer, pieces, before });
      }
      const answers = found.map(({ answer }) => answer);
      return json({
        ...head,
        model: wanted ?? served.id,
        choices: found.map(({ answer, pieces, before }, index) => ({
          index,
          text: before + textOf(answer),
          finish_reason: finishReason(answer.finishReason),
          logprobs: top === undefined ? null : logprobsOf(served.model, pieces, before.length),
        })),
        usage: usageOfAll(jobs, answers),
        timings: timingsOf(answers[0].usage),
      });
    });
  return streamed(call, body, (served) => {
    const { jobs, echo, top } = readCompletion(body, served.model);
    const usage = body.fields("stream_options")?.flag("include_usage") ?? false;
    const named = { ...head, model: wanted ?? served.id };
    return {
      events: (signal) => chunks(served, jobs, named, { echo, top, usage }, signal),
      failed: (error) => ({ data: errorBody(asApiError(error), false) }),
      options: jobs[0].options,
    };
  });
}

function readCompletion(
  body: Fields,
  model: Model,
): { jobs: Job[]; echo: boolean; top: number | undefined } {
  const { prompts } = readPrompts(body.required("prompt", body.any("prompt")), "prompt", model);
  const choices = body.whole("n", 1, 128) ?? 1;
  const top = body.whole("logprobs", 0, 20);
  const options = {
    maxTokens: DEFAULT_MAX_TOKENS,
    ...samplingFrom(body, () => model.tokenizer),
    ...maxTokens(body),
    ...(top !== undefined && { logprobs: top }),
    ...constraintFrom(body),
  };
  const how = {
    ...{ options, choices, cached: body.flag("cache_prompt") ?? true },
    progress: body.flag("return_progress") ?? false,
  };
  return {
    jobs: prompts.map((tokens) => ({ prompt: [tokens], tokens, ...how })),
    echo: body.flag("echo") ?? false,
    top,
  };
}

const textOf = ({ message }: Answer): string => (message.content as string | null) ?? "";

function usageOfAll(jobs: readonly Job[], answers: readonly Answer[]): Record<string, unknown> {
  const each = jobs.map((job, i) =>
    usageOf(answers.slice(i * job.choices, (i + 1) * job.choices)),
  ) as { prompt_tokens: number; completion_tokens: number; total_tokens: number }[];
  const sum = (key: keyof (typeof each)[number]): number =>
    each.reduce((total, one) => total + one[key], 0);
  return {
    ...each[0],
    prompt_tokens: sum("prompt_tokens"),
    completion_tokens: sum("completion_tokens"),
    total_tokens: sum("total_tokens"),
  };
}

/** The log-probabilities of a text in the old form. */
function logprobsOf({ tokenizer }: Model, pieces: readonly Piece[], from: number): unknown {
  let offset = from;
  const rows = pieces
    .filter((piece) => isOfText(tokenizer, piece))
    .map((piece) => {
      const { token } = tokenText(tokenizer, piece.token!);
      const row = { token, logprob: logprob(piece.logprob!), offset, top: piece.topLogprobs ?? [] };
      offset += token.length;
      return row;
    });
  return {
    tokens: rows.map(({ token }) => token),
    token_logprobs: rows.map((row) => row.logprob),
    text_offset: rows.map((row) => row.offset),
    top_logprobs: rows.map(({ top }) =>
      Object.fromEntries(
        top.map((one) => [tokenText(tokenizer, one.token).token, logprob(one.logprob)]),
      ),
    ),
  };
}

async function* chunks(
  served: Served,
  jobs: readonly Job[],
  head: object,
  { echo, top, usage }: { echo: boolean; top: number | undefined; usage: boolean },
  signal: AbortSignal,
): AsyncGenerator<ServerEvent> {
  const { model } = served;
  const answers: Answer[] = [];
  const chunk = (index: number, text: string, logprobs: unknown, finish: string | null) => ({
    data: { ...head, choices: [{ index, text, logprobs, finish_reason: finish }] },
  });
  for (const [number, job] of jobs.entries()) {
    const first = number * job.choices;
    if (echo)
      for (let i = 0; i < job.choices; i++)
        yield chunk(
          first + i,
          model.tokenizer.decode(job.tokens, { removeSpecial: true }),
          null,
          null,
        );
    for await (const event of generate(served, job, signal)) {
      const index = first + event.choice;
      if (event.progress) {
        const { data } = chunk(index, "", null, null);
        yield { data: { ...data, prompt_progress: event.progress } };
      } else if (event.piece) {
        const told = top !== undefined && isOfText(model.tokenizer, event.piece);
        if (event.piece.text !== "" || told)
          yield chunk(
            index,
            event.piece.text,
            told ? logprobsOf(model, [event.piece], 0) : null,
            null,
          );
      } else {
        answers[index] = event.answer;
        const end = chunk(index, "", null, finishReason(event.answer.finishReason));
        yield { data: { ...end.data, timings: timingsOf(event.answer.usage) } };
      }
    }
  }
  if (usage) yield { data: { ...head, choices: [], usage: usageOfAll(jobs, answers) } };
  yield { data: "[DONE]" };
}
