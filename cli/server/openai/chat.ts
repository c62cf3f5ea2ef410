/** `/v1/chat/completions`: OpenAI's chat, whole or streamed. */
import type { Answer, ChatMessage, GenerateOptions, Model, Piece } from "../../../mod.ts";
import { constraintFrom } from "../constraint.ts";
import { type Call, json, newId, now, withLease } from "../context.ts";
import { promptTokens, readMessages, readRendering, readTools } from "../conversation.ts";
import { asApiError, errorBody, refuse } from "../errors.ts";
import { type Fields, readFields } from "../fields.ts";
import { complete, generate, type Job } from "../generate.ts";
import type { Served } from "../host.ts";
import { finishReason, isOfText, timingsOf, tokenLogprob, usageOf } from "../results.ts";
import { samplingFrom } from "../sampling.ts";
import type { ServerEvent } from "../sse.ts";
import { streamed } from "../streamed.ts";

export async function chatCompletions(call: Call): Promise<Response> {
  const body = await readFields(call.request, call.options);
  const stream = body.flag("stream") ?? false;
  const wanted = body.text("model");
  if (!stream)
    return withLease(call, wanted, async ({ served }) => {
      const { job, logprobs } = readChat(body, served.model);
      const answers = await complete(served, job, call.signal);
      return json({
        id: newId("chatcmpl-"),
        object: "chat.completion",
        created: now(),
        model: wanted ?? served.id,
        choices: answers.map(({ answer, pieces }, index) => ({
          index,
          finish_reason: finishReason(answer.finishReason),
          message: messageOf(answer),
          logprobs: logprobs ? logprobsOf(served.model, pieces) : null,
        })),
        usage: usageOf(answers.map(({ answer }) => answer)),
        timings: timingsOf(answers[0].answer.usage),
      });
    });
  return streamed(call, body, (served) => {
    const { job, logprobs } = readChat(body, served.model);
    const usage = body.fields("stream_options")?.flag("include_usage") ?? false;
    const perToken = body.flag("timings_per_token") ?? false;
    const model = wanted ?? served.id;
    return {
      events: (signal) => chunks(served, job, { model, logprobs, usage, perToken }, signal),
      failed: (error) => ({ data: errorBody(asApiError(error), false) }),
      options: job.options,
    };
  });
}

/** The job that a request describes. */
export function readChat(body: Fields, model: Model): { job: Job; logprobs: boolean } {
  const messages = readMessages(body);
  const choices = body.whole("n", 1, 128) ?? body.whole("n_cmpl", 1, 128) ?? 1;
  const logprobs = body.flag("logprobs") ?? false;
  const top = body.whole("top_logprobs", 0, 20);
  if (top !== undefined && !logprobs)
    refuse("top_logprobs", "left out unless logprobs is true", top);
  const options: GenerateOptions = {
    ...samplingFrom(body, () => model.tokenizer),
    ...readRendering(body, messages),
    ...maxTokens(body),
    ...(logprobs && { logprobs: top ?? 0 }),
    ...constraintFrom(body),
  };
  const tools = readTools(body);
  const choice = readToolChoice(body);
  if (tools) Object.assign(options, { tools, ...toolChoiceOf(choice, body) });
  else if (choice === "required" || typeof choice === "object")
    refuse("tool_choice", "auto or none where there are no tools", choice);
  const tokens = promptTokens(model, messages, options);
  const slot = body.whole("id_slot", -1);
  return {
    logprobs,
    job: {
      prompt: messages,
      tokens,
      options,
      choices,
      cached: body.flag("cache_prompt") ?? true,
      progress: body.flag("return_progress") ?? false,
      ...(slot !== undefined && slot >= 0 && { slot }),
    },
  };
}

/** Tokens to generate at most, by any of its names. */
export function maxTokens(body: Fields): Pick<GenerateOptions, "maxTokens"> {
  const most =
    body.whole("max_completion_tokens", -1) ??
    body.whole("max_tokens", -1) ??
    body.whole("n_predict", -1);
  return most === undefined ? {} : { maxTokens: most };
}

/** `tool_choice`: none, auto, required, or the name of a function. */
export function readToolChoice(body: Fields): "none" | "auto" | "required" | { name: string } {
  const given = body.any("tool_choice");
  if (given === undefined) return "auto";
  if (given === "none" || given === "auto" || given === "required") return given;
  if (typeof given !== "object")
    refuse(body.name("tool_choice"), "none, auto, required or a function", given);
  const called = body.fields("tool_choice")!;
  const named = called.fields("function") ?? called;
  return { name: named.required("name", named.text("name")) };
}

/** How calls are enforced: `auto` leaves the model free, unless a tool asks for `strict`. */
export function toolChoiceOf(
  choice: ReturnType<typeof readToolChoice>,
  body: Fields,
): Pick<GenerateOptions, "toolChoice" | "parallelToolCalls"> {
  const parallel = body.flag("parallel_tool_calls");
  const strict = (body.list("tools") ?? []).some((tool) => {
    const { strict, function: called } = Object(tool);
    return strict === true || Object(called).strict === true;
  });
  if (choice === "auto" && !strict && parallel !== false) return {};
  return { toolChoice: choice, ...(parallel !== undefined && { parallelToolCalls: parallel }) };
}

/** The message of a whole answer. */
export function messageOf({ message }: Answer): Record<string, unknown> {
  const { content, reasoning_content, tool_calls } = message;
  return {
    role: "assistant",
    content: content as string | null,
    refusal: null,
    ...(reasoning_content && { reasoning_content }),
    ...(tool_calls?.length && { tool_calls: tool_calls.map(callOf) }),
  };
}

const callOf = ({ id, function: called }: NonNullable<ChatMessage["tool_calls"]>[number]) => ({
  id: id ?? newId("call_"),
  type: "function",
  function: { name: called.name, arguments: textOf(called.arguments) },
});

/** Arguments as OpenAI has them: JSON in a text. */
const textOf = (value: unknown): string =>
  typeof value === "string" ? value : JSON.stringify(value);

const logprobsOf = ({ tokenizer }: Model, pieces: readonly Piece[]): unknown => ({
  content: pieces
    .filter((piece) => isOfText(tokenizer, piece))
    .map((piece) => tokenLogprob(tokenizer, piece)),
  refusal: null,
});

interface ChunkOptions {
  readonly model: string;
  readonly logprobs: boolean;
  readonly usage: boolean;
  readonly perToken: boolean;
}

/** The events of a streamed chat. */
async function* chunks(
  served: Served,
  job: Job,
  { model, logprobs, usage, perToken }: ChunkOptions,
  signal: AbortSignal,
): AsyncGenerator<ServerEvent> {
  const head = { id: newId("chatcmpl-"), object: "chat.completion.chunk", created: now(), model };
  const chunk = (
    index: number,
    delta: unknown,
    more: object = {},
    finish: string | null = null,
    beside: object = {},
  ) => ({
    data: { ...head, choices: [{ index, delta, finish_reason: finish, ...more }], ...beside },
  });
  const begun = new Set<number>();
  const answers: Answer[] = [];
  for await (const event of generate(served, job, signal)) {
    const { choice } = event;
    if (!begun.has(choice)) {
      begun.add(choice);
      yield chunk(choice, { role: "assistant", content: null });
    }
    if (event.progress) yield chunk(choice, {}, {}, null, { prompt_progress: event.progress });
    else if (event.piece) {
      const { piece } = event;
      const deltas = deltasOf(piece);
      const more =
        logprobs && isOfText(served.model.tokenizer, piece)
          ? {
              logprobs: {
                content: [tokenLogprob(served.model.tokenizer, piece)],
                refusal: null,
              },
            }
          : {};
      if (deltas.length === 0 && "logprobs" in more) deltas.push({});
      for (const [i, delta] of deltas.entries()) yield chunk(choice, delta, i === 0 ? more : {});
    } else {
      answers[choice] = event.answer;
      const last = answers.filter(Boolean).length === job.choices;
      const timings = last || perToken ? { timings: timingsOf(event.answer.usage) } : {};
      yield chunk(choice, {}, {}, finishReason(event.answer.finishReason), timings);
    }
  }
  if (usage)
    yield {
      data: {
        ...head,
        choices: [],
        usage: usageOf(answers),
        timings: timingsOf(answers[0].usage),
      },
    };
  yield { data: "[DONE]" };
}

/** What a piece adds to the message; nothing where its text is held back. A call begins with its name alone. */
export function deltasOf({ channel, text, toolCallPart }: Piece): object[] {
  if (toolCallPart) {
    const { index, id, name, arguments: args } = toolCallPart;
    const more = { tool_calls: [{ index, function: { arguments: args } }] };
    if (name === undefined) return args === "" ? [] : [more];
    const called = { name, arguments: "" };
    const first = {
      tool_calls: [{ index, id: id ?? newId("call_"), type: "function", function: called }],
    };
    return args === "" ? [first] : [first, more];
  }
  if (text === "" || channel === "tool") return [];
  return [channel === "reasoning" ? { reasoning_content: text } : { content: text }];
}
