/** `/completion`: llama-server's own continuation of a text, with everything it tells of it. */
import type { Answer, GenerateOptions, Model, Piece } from "../../../mod.ts";
import { constraintFrom } from "../constraint.ts";
import { type Call, json, withLease } from "../context.ts";
import { asApiError, errorBody, refuse } from "../errors.ts";
import { type Fields, readFields } from "../fields.ts";
import { complete, generate, type Job } from "../generate.ts";
import type { Served } from "../host.ts";
import { readPrompts } from "../prompt.ts";
import { isOfText, logprob, timingsOf, tokenText } from "../results.ts";
import { samplingFrom } from "../sampling.ts";
import type { ServerEvent } from "../sse.ts";
import { streamed } from "../streamed.ts";

interface Request {
  readonly jobs: readonly Job[];
  readonly many: boolean;
  /** Paths of the answer that are wanted; empty = all. */
  readonly fields: readonly string[];
  readonly probs: number;
  readonly returnTokens: boolean;
  readonly settings: Readonly<Record<string, unknown>>;
}

export async function completion(call: Call): Promise<Response> {
  const body = await readFields(call.request, call.options);
  return answerNative(call, body, (model) =>
    readPrompts(body.required("prompt", body.any("prompt")), "prompt", model),
  );
}

/** Answers with what `prompts` makes of the request. */
export async function answerNative(
  call: Call,
  body: Fields,
  prompts: (model: Model) => { prompts: number[][]; many: boolean },
): Promise<Response> {
  const wanted = body.text("model");
  if (!body.flag("stream"))
    return withLease(call, wanted, async ({ served }) => {
      const request = readRequest(body, served.model, prompts(served.model));
      const results: unknown[] = [];
      for (const job of request.jobs)
        for (const { answer, pieces, slot } of await complete(served, job, call.signal))
          results.push(
            picked(
              wholeOf(served, request, job, answer, pieces, slot, results.length),
              request.fields,
            ),
          );
      return json(request.many || results.length > 1 ? results : results[0]);
    });
  return streamed(call, body, (served) => {
    const request = readRequest(body, served.model, prompts(served.model));
    return {
      events: (signal) => events(served, request, signal),
      failed: (error) => ({ data: errorBody(asApiError(error), true) }),
      options: request.jobs[0].options,
    };
  });
}

function readRequest(
  body: Fields,
  model: Model,
  { prompts, many }: { prompts: number[][]; many: boolean },
): Request {
  const probs = body.whole("n_probs", 0) ?? 0;
  if (body.flag("post_sampling_probs"))
    refuse(
      "post_sampling_probs",
      "false: log-probabilities are told as the model gives them",
      true,
    );
  const most = body.whole("n_predict", -1) ?? body.whole("max_tokens", -1);
  const sampling = samplingFrom(body, () => model.tokenizer);
  const options: GenerateOptions = {
    ...sampling,
    ...(most !== undefined && { maxTokens: most }),
    ...(probs > 0 && { logprobs: probs }),
    ...constraintFrom(body),
  };
  const slot = body.whole("id_slot", -1);
  const choices = body.whole("n_cmpl", 1, 128) ?? body.whole("n", 1, 128) ?? 1;
  return {
    many,
    probs,
    fields: body.texts("response_fields") ?? [],
    returnTokens: body.flag("return_tokens") ?? false,
    settings: { n_predict: most ?? -1, ...body.values, prompt: undefined },
    jobs: prompts.map((tokens) => ({
      prompt: [tokens],
      tokens,
      options,
      choices,
      cached: body.flag("cache_prompt") ?? true,
      progress: body.flag("return_progress") ?? false,
      ...(slot !== undefined && slot >= 0 && { slot }),
    })),
  };
}

function wholeOf(
  { id, model }: Served,
  { probs, returnTokens, settings }: Request,
  job: Job,
  answer: Answer,
  pieces: readonly Piece[],
  slot: number,
  index: number,
): Record<string, unknown> {
  const { usage } = answer;
  const content = (answer.message.content as string | null) ?? "";
  return {
    index,
    content,
    tokens: returnTokens ? tokensOf(pieces) : [],
    id_slot: slot,
    stop: true,
    model: id,
    tokens_predicted: usage.completionTokens,
    tokens_evaluated: usage.promptTokens,
    generation_settings: settings,
    prompt: model.tokenizer.decode(job.tokens, { unparseSpecial: true }),
    has_new_line: content.includes("\n"),
    truncated: answer.finishReason === "context",
    ...stopOf(answer),
    tokens_cached: usage.promptTokens + usage.completionTokens,
    timings: timingsOf(usage),
    ...(probs > 0 && { completion_probabilities: probsOf(model, pieces) }),
  };
}

const tokensOf = (pieces: readonly Piece[]): number[] => pieces.flatMap(({ token }) => token ?? []);

function stopOf({ finishReason, stopText }: Answer): { stop_type: string; stopping_word: string } {
  if (stopText !== undefined) return { stop_type: "word", stopping_word: stopText };
  const limit = finishReason === "length" || finishReason === "context";
  return { stop_type: limit ? "limit" : "eos", stopping_word: "" };
}

const probsOf = ({ tokenizer }: Model, pieces: readonly Piece[]): unknown[] =>
  pieces
    .filter((piece) => isOfText(tokenizer, piece))
    .map((piece) => ({
      id: piece.token,
      ...tokenText(tokenizer, piece.token!),
      logprob: logprob(piece.logprob!),
      top_logprobs: (piece.topLogprobs ?? []).map((top) => ({
        id: top.token,
        ...tokenText(tokenizer, top.token),
        logprob: logprob(top.logprob),
      })),
    }));

/** The wanted paths of an answer: `a/b` becomes the field `b`. */
function picked(
  answer: Record<string, unknown>,
  fields: readonly string[],
): Record<string, unknown> {
  if (fields.length === 0) return answer;
  const out: Record<string, unknown> = {};
  for (const path of fields) {
    const keys = path.split("/");
    let value: unknown = answer;
    for (const key of keys)
      value = Object.hasOwn(Object(value), key)
        ? (value as Record<string, unknown>)[key]
        : undefined;
    if (value !== undefined) out[keys[keys.length - 1]] = value;
  }
  return out;
}

async function* events(
  served: Served,
  request: Request,
  signal: AbortSignal,
): AsyncGenerator<ServerEvent> {
  const { model } = served;
  for (const [number, job] of request.jobs.entries()) {
    const predicted = new Array<number>(job.choices).fill(0);
    for await (const event of generate(served, job, signal)) {
      const index = number * job.choices + event.choice;
      if (event.progress) {
        const { slot: id_slot, progress: prompt_progress } = event;
        const nothing = { index, content: "", tokens: [], stop: false, tokens_predicted: 0 };
        const tokens_evaluated = job.tokens.length;
        yield { data: { ...nothing, id_slot, tokens_evaluated, prompt_progress } };
        continue;
      }
      if (event.answer) {
        const whole = wholeOf(served, request, job, event.answer, [], event.slot, index);
        yield { data: picked({ ...whole, content: "", tokens: [] }, request.fields) };
        continue;
      }
      const { piece } = event;
      if (piece.token !== undefined) predicted[event.choice]++;
      const told = request.probs > 0 && isOfText(model.tokenizer, piece);
      if (piece.text === "" && !told && !request.returnTokens) continue;
      yield {
        data: {
          index,
          content: piece.text,
          tokens: piece.token === undefined ? [] : [piece.token],
          stop: false,
          id_slot: event.slot,
          tokens_predicted: predicted[event.choice],
          tokens_evaluated: job.tokens.length,
          ...(told && { completion_probabilities: probsOf(model, [piece]) }),
        },
      };
    }
  }
}
