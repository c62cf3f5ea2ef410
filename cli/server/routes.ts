/** Every route of the server: the app answers by this table, and docs/server.md is made from it. */
import { countTokens, messages } from "./anthropic/messages.ts";
import type { Handler } from "./context.ts";
import { ApiError } from "./errors.ts";
import { completion } from "./native/completion.ts";
import { infill } from "./native/infill.ts";
import { rerank } from "./native/rerank.ts";
import { health, metrics, props, slots } from "./native/state.ts";
import { lookupStreams, replayStream, stopStream } from "./native/streams.ts";
import { applyTemplate, detokenize, inputTokens, tokenize } from "./native/text.ts";
import { chatCompletions } from "./openai/chat.ts";
import { completions } from "./openai/completions.ts";
import { embedding, embeddings } from "./openai/embeddings.ts";
import {
  fetchModel,
  listModels,
  loadModels,
  oneModel,
  removeModel,
  unloadModels,
  watchModels,
} from "./openai/models.ts";
import { responses, responseTokens } from "./openai/responses.ts";

export interface Route {
  readonly method: "GET" | "POST" | "DELETE";
  /** The path, then its other names; `:name` stands for one part. */
  readonly paths: readonly string[];
  readonly handler: Handler;
  /** Answered without a key. */
  readonly open?: boolean;
  /** Whose form its errors have. */
  readonly form: "openai" | "anthropic" | "native";
  /** One line for the guide. */
  readonly about: string;
}

const notHere: Handler = () => {
  throw new ApiError(501, "This server does not have that endpoint");
};

export const routes: readonly Route[] = [
  {
    method: "POST",
    paths: ["/v1/chat/completions", "/chat/completions"],
    handler: chatCompletions,
    form: "openai",
    about: "OpenAI's chat: whole or streamed, tools, reasoning, log-probabilities",
  },
  {
    method: "POST",
    paths: ["/v1/completions"],
    handler: completions,
    form: "openai",
    about: "OpenAI's continuation of texts or token ids",
  },
  {
    method: "POST",
    paths: ["/v1/responses", "/responses"],
    handler: responses,
    form: "openai",
    about: "OpenAI's responses, without a store",
  },
  {
    method: "POST",
    paths: ["/v1/embeddings", "/embeddings"],
    handler: embeddings,
    form: "openai",
    about: "vectors of texts, as numbers or base64",
  },
  {
    method: "GET",
    paths: ["/v1/models", "/models"],
    handler: listModels,
    open: true,
    form: "openai",
    about: "the models, and which of them are loaded",
  },
  {
    method: "GET",
    paths: ["/v1/models/:model"],
    handler: oneModel,
    form: "openai",
    about: "one model",
  },
  {
    method: "POST",
    paths: ["/v1/chat/completions/input_tokens", "/chat/completions/input_tokens"],
    handler: inputTokens,
    form: "openai",
    about: "the tokens of a chat's prompt, counted",
  },
  {
    method: "POST",
    paths: ["/v1/responses/input_tokens", "/responses/input_tokens"],
    handler: responseTokens,
    form: "openai",
    about: "the same for a response",
  },
  {
    method: "POST",
    paths: ["/v1/messages"],
    handler: messages,
    form: "anthropic",
    about: "Anthropic's messages, whole or streamed, with tools",
  },
  {
    method: "POST",
    paths: ["/v1/messages/count_tokens"],
    handler: countTokens,
    form: "anthropic",
    about: "the tokens of such a prompt, counted",
  },
  {
    method: "POST",
    paths: ["/completion", "/completions"],
    handler: completion,
    form: "native",
    about: "llama-server's continuation, with everything it tells of it",
  },
  {
    method: "POST",
    paths: ["/infill"],
    handler: infill,
    form: "native",
    about: "the text between two others, by models that can",
  },
  {
    method: "GET",
    paths: ["/v1/stream", "/v1/stream/:id"],
    handler: replayStream,
    form: "native",
    about: "a stream that was begun with `X-Conversation-Id`, by `conv_id`, from byte `from` on",
  },
  {
    method: "DELETE",
    paths: ["/v1/stream", "/v1/stream/:id"],
    handler: stopStream,
    form: "native",
    about: "stops it",
  },
  {
    method: "POST",
    paths: ["/v1/streams/lookup"],
    handler: lookupStreams,
    form: "native",
    about: "which of some `conversation_ids` have a stream",
  },
  {
    method: "POST",
    paths: ["/tokenize"],
    handler: tokenize,
    form: "native",
    about: "a text's token ids",
  },
  {
    method: "POST",
    paths: ["/detokenize"],
    handler: detokenize,
    form: "native",
    about: "the text of token ids",
  },
  {
    method: "POST",
    paths: ["/apply-template"],
    handler: applyTemplate,
    form: "native",
    about: "a conversation as the model reads it",
  },
  {
    method: "POST",
    paths: ["/rerank", "/reranking", "/v1/rerank", "/v1/reranking"],
    handler: rerank,
    form: "native",
    about: "documents by how well they answer a query",
  },
  {
    method: "POST",
    paths: ["/embedding"],
    handler: embedding,
    form: "native",
    about: "vectors in llama-server's form",
  },
  {
    method: "GET",
    paths: ["/health", "/v1/health"],
    handler: health,
    open: true,
    form: "native",
    about: "whether the server can answer",
  },
  {
    method: "GET",
    paths: ["/props"],
    handler: props,
    form: "native",
    about: "the model, its template, its slots",
  },
  {
    method: "GET",
    paths: ["/slots"],
    handler: slots,
    form: "native",
    about: "what runs in each slot; no prompts",
  },
  {
    method: "GET",
    paths: ["/metrics"],
    handler: metrics,
    form: "native",
    about: "counts and histograms for Prometheus",
  },
  {
    method: "POST",
    paths: ["/models"],
    handler: fetchModel,
    form: "native",
    about: "begin to fetch a model from the hub: `USER/REPO:QUANT`",
  },
  {
    method: "DELETE",
    paths: ["/models"],
    handler: removeModel,
    form: "native",
    about: "give up fetching a `model`, or remove it from the store",
  },
  {
    method: "GET",
    paths: ["/models/sse"],
    handler: watchModels,
    form: "native",
    about: "what happens to the models as events: states, progress of loads and downloads",
  },
  {
    method: "POST",
    paths: ["/models/load"],
    handler: loadModels,
    form: "native",
    about: "load a model",
  },
  {
    method: "POST",
    paths: ["/models/unload"],
    handler: unloadModels,
    form: "native",
    about: "free a model",
  },
  {
    method: "GET",
    paths: ["/lora-adapters"],
    handler: () => new Response("[]", { headers: { "Content-Type": "application/json" } }),
    form: "native",
    about: "an empty list",
  },
  {
    method: "POST",
    paths: [
      "/v1/audio/transcriptions",
      "/v1/audio/speech",
      "/v1/images/generations",
      "/v1/moderations",
      "/v1/systemone",
      "/tools",
      "/lora-adapters",
    ],
    handler: notHere,
    form: "openai",
    about: "out of scope: 501",
  },
];
