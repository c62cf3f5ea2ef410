/** The public types: options, model, session, pieces. `mod.ts` exports them. */

import type { ByteSource } from "../base/source.ts";
import type { ChatMessage, ToolCall } from "../chat/messages.ts";
import type { RenderedPrompt, RenderOptions } from "../chat/render.ts";
import type { ModelFile } from "../file/types.ts";
import type { CacheType } from "../graph/settings.ts";
import type { DeviceTuning } from "../plan/tuning-types.ts";
import type { SamplingOptions } from "../sample/types.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";

/**
 * A path (Node, Deno), `hf:USER/REPO[:QUANT][@REVISION]` or `hf:USER/REPO/FILE.gguf[@REVISION]`, an http(s) URL, a File
 * or Blob, bytes, or a ByteSource of one's own. Behind a repository or URL, `&sha256=HEX` pins the digest.
 */
export type ModelPart = string | URL | Blob | ArrayBuffer | Uint8Array | ByteSource;

/**
 * A file, or all parts of a split model in any order; of a path or URL one part is enough, as the names
 * of the others follow from its own.
 */
export type ModelSource = ModelPart | readonly ModelPart[];

/** A model is uploaded while it is downloaded: reports of both come in turn. */
export interface LoadProgress {
  readonly stage: "read" | "download" | "upload" | "compile";
  /** Bytes done and in all. */
  readonly loaded: number;
  readonly total: number;
  /** Of a download: bytes a second lately, seconds until its end where they can be told, and where it comes from. */
  readonly rate?: number;
  readonly secondsLeft?: number;
  readonly from?: string;
}

/** How a model is got from a repository or URL, and who hears of it. */
export interface SourceOptions {
  /** Keep what is downloaded; what is there already is used anyway. @default true */
  cache?: boolean;
  /**
   * Of what is not kept yet, fetch the header alone, at most 8 MiB in a few ranges, and keep nothing: for those who
   * read no tensors. @default false
   */
  headerOnly?: boolean;
  /** Make no request: a model that is not kept is an error (`--offline`). @default false */
  offline?: boolean;
  /** The hub's URL. @default `MODEL_ENDPOINT`, `HF_ENDPOINT`, https://huggingface.co */
  endpoint?: string;
  /** For gated and private repositories. @default `HF_TOKEN` */
  token?: string;
  onProgress?: (progress: LoadProgress) => void;
  /** One calm line now and then: why the CPU is used, or that the model will be slow here. */
  onNotice?: (text: string) => void;
  signal?: AbortSignal;
}

/** How tokens are drafted (speculative decoding). */
export interface SpeculationOptions {
  /** A smaller model with the same vocabulary (`-md`). @default none: as `ngram` */
  readonly model?: ModelSource;
  /** Tokens of a draft at most (`--draft-max`), from 1; more than 7 count as 7. @default 7 */
  readonly draftMax?: number;
  /** Shorter drafts are not verified (`--draft-min`). @default 1 */
  readonly draftMin?: number;
}

export interface LoadOptions extends Omit<SourceOptions, "headerOnly"> {
  /**
   * Where to compute: `auto` measures and takes the faster, `gpu` insists on an adapter, `cpu` is the
   * path without one, any other text is (part of) an adapter's name.
   * @default "auto"
   */
  device?: string;
  /**
   * Tokens of context (`-c`), which all sequences share; 0 = the model's own. One that finds no room gives way to older
   * ones and goes on later, with the same text. @default min(model, 4096)
   */
  contextLength?: number;
  /** Key cache type (`-ctk`). @default "f16" */
  cacheTypeK?: CacheType;
  /** Value cache type (`-ctv`). @default "f16" */
  cacheTypeV?: CacheType;
  /** Rows of a prefill chunk (`-ub`). @default chosen for the device */
  chunk?: number;
  /**
   * Threads on the CPU path (`-t`), at most: helpers that make it no faster are ended. In pages they take
   * cross-origin isolation and a worker that holds the model. @default half of the processors'
   */
  threads?: number;
  /** Sequences that can be at work at once (`-np`); more sessions take turns. @default 1 */
  maxSequences?: number;
  /** Steps kept in flight; @default chosen for the device */
  stepsInFlight?: number;
  /**
   * Activations as signed bytes on GPUs with packed products: faster on some, less exact everywhere.
   * `auto` = where it is known to be faster. @default "off"
   */
  int8?: "auto" | "on" | "off";
  /** What `tuneDevice` measured, on one adapter or several; what fits the adapter counts. */
  tuning?: readonly DeviceTuning[];
  /** Fusions switched off by name, for debugging (`--no-fuse`). */
  noFuse?: readonly string[];
  /**
   * Speculative decoding: several tokens drafted and verified in one step, the same text in fewer
   * steps. `ngram` looks drafts up in the session's own tokens, a draft model computes them. @default "none"
   */
  speculation?: "none" | "ngram" | SpeculationOptions;
}

/** Whether a model fits a device. */
export interface FitReport {
  /** What opens it. */
  readonly reference: string;
  /** Bytes of all its files. */
  readonly bytes?: number;
  /** What would compute it. */
  readonly device?: string;
  /** Whether it does with `contextLength` tokens. */
  readonly fits: boolean;
  /** Tokens of context that were asked for, or as loading would take. */
  readonly contextLength: number;
  /** Tokens up to that with which it fits; 0 = none. */
  readonly largestContext: number;
  /** Bytes that it takes with `contextLength`, and that there are where that is known. */
  readonly needs?: number;
  readonly has?: number;
  /** Tokens a second of one answer, estimated from what was measured here. */
  readonly tokensPerSecond?: number;
  /** Why it cannot be run or looked at. */
  readonly problem?: string;
}

/** One step of the answer. */
export interface Piece {
  /** Which answer it is of, where several were asked for (`n`), from 0 on. */
  readonly index?: number;
  /** Token id; missing in a further piece of the same token, where it ends one channel and begins another. */
  readonly token?: number;
  /** Text that became complete with this token; may be empty while a character or stop string is open. */
  readonly text: string;
  /** Natural logarithm of the token's probability, when asked for. */
  readonly logprob?: number;
  /** The most likely tokens with their log-probabilities, when asked for. */
  readonly topLogprobs?: readonly { readonly token: number; readonly logprob: number }[];
  /** What the text belongs to. A tool call comes whole, when its end has come; `text` is what was written of it. */
  readonly channel: "content" | "reasoning" | "tool";
  /** Part of a tool call, while it is written; every call comes in parts before it comes whole. */
  readonly toolCallPart?: ToolCallPart;
  /** A call of one of the `tools`, in OpenAI's shape; `unfinished` if the answer ended inside it. */
  readonly toolCall?: ToolCall;
}

/** Part of a tool call. */
export interface ToolCallPart {
  /** The call's number in the answer, from 0 on. */
  readonly index: number;
  /** With the first part; with the last where the model writes an id of its own behind the arguments. */
  readonly id?: string;
  /** With the first part. */
  readonly name?: string;
  /** More of the arguments: all parts together are the `arguments` of the whole call. */
  readonly arguments: string;
}

/**
 * Why an answer ended: an end token or stop text came; the model calls functions; `maxTokens` was
 * reached; the context is full; the `filter` ended it; the caller stopped it.
 */
export type FinishReason =
  | "stop"
  | "tool-calls"
  | "length"
  | "context"
  | "content-filter"
  | "aborted";

/**
 * Reads an answer's pieces and gives those that the caller shall see: the same, others, fewer, or later
 * ones. To return before the answer is read, or to return "content-filter", ends it for that reason.
 */
export type AnswerFilter = (
  pieces: AsyncIterable<Piece>,
  // biome-ignore lint/suspicious/noConfusingVoidType: what generators without a result return
) => AsyncIterable<Piece, "content-filter" | void>;

/** What an answer took. */
export interface Usage {
  /** Tokens of the whole prompt, cached ones included. */
  readonly promptTokens: number;
  /** Prompt tokens that were already in the cache. */
  readonly cachedTokens: number;
  readonly completionTokens: number;
  /** Milliseconds until the first token, and from there to the last. */
  readonly promptMs: number;
  readonly completionMs: number;
  /** Milliseconds of `promptMs` in which nothing of it was computed because others were. */
  readonly queueMs?: number;
  /** Pages of the cache, 32 tokens each, that hold the session's tokens at the end. */
  readonly pages?: number;
  /** Under a grammar: tokens that could only come as they did, for which no step was needed. */
  readonly forcedTokens?: number;
  /** Where tokens were drafted. */
  readonly speculation?: SpeculationStats;
}

/** The model's message, ready to be pushed to the conversation. */
export interface AssistantMessage extends ChatMessage {
  readonly role: "assistant";
  /** Null where the message is nothing but tool calls. */
  readonly content: string | null;
}

/** A whole answer. */
export interface Answer {
  readonly message: AssistantMessage;
  readonly finishReason: FinishReason;
  /** The one of the `stop` texts that ended the answer; it is not part of the message. */
  readonly stopText?: string;
  /** Of several answers: that of all together, the prompt counted once. */
  readonly usage: Usage;
  /** All answers in order, where several were asked for (`n`); the rest of this one is that of the first. */
  readonly answers?: readonly Answer[];
}

/**
 * An answer on its way. Iterate over it for its pieces, await it for the whole, or both: awaiting
 * reads what is left. Nothing is computed before the first piece is asked for.
 */
export interface AnswerStream extends AsyncIterableIterator<Piece, Answer>, PromiseLike<Answer> {
  /** Stops the work: what `break` does. Resolves with the answer so far, its finishReason "aborted". */
  return(): Promise<IteratorReturnResult<Answer>>;
}

export interface GenerateOptions extends SamplingOptions, RenderOptions {
  /**
   * Answers to the same prompt, which is computed once; pieces come with their `index`. Each is what it would be alone,
   * with `seed`, `seed + 1` and so on where a seed is given. The session goes on from the first. @default 1
   */
  n?: number;
  /** Tokens to generate at most (`-n`); -1 = until the end or a full context. @default -1 */
  maxTokens?: number;
  /** A text, or texts, that end the answer; they are not part of it. */
  stop?: string | readonly string[];
  /** Go on after end-of-generation tokens. @default false */
  ignoreEos?: boolean;
  /** Log-probabilities of this many most likely tokens with every piece (0 = of the token alone). */
  logprobs?: number;
  /** Parse special tokens in a text prompt. @default true */
  parseSpecial?: boolean;
  /**
   * Take what other sessions have computed of the prompt. With `false`, after `session.reset()`, all of it is computed
   * anew (llama-server's `cache_prompt`). The text is the same. @default true
   */
  shareCache?: boolean;
  /** Another way of drafting than the model was loaded with; `draft` needs its draft model. */
  speculation?: "none" | "ngram" | "draft";
  /**
   * A grammar in llama.cpp's notation (GBNF), which the answer follows from its first token on. One
   * form at most may be asked for. Errors: `grammar/invalid` with the place as `offset`.
   */
  grammar?: string;
  /** A JSON Schema whose value the answer is. Errors: `grammar/unsupported` where it asks for what cannot be enforced. */
  jsonSchema?: object | boolean;
  /** An ECMAScript regular expression that the whole answer matches. */
  regex?: string;
  /** Texts, one of which the answer is. */
  choice?: readonly string[];
  /** `json_object`: the answer is any JSON object. @default "text" */
  responseFormat?: "text" | "json_object";
  /**
   * Which `tools` the model calls: `auto` as it likes, `required` one at least, `name` the one of that
   * name; `none` leaves them out. Names and arguments then always are what the tools say, in the marks
   * of the chat template. @default the model is free, and calls are read where it writes them
   */
  toolChoice?: "none" | "auto" | "required" | { readonly name: string };
  /** Whether several calls may come under `toolChoice`. @default true */
  parallelToolCalls?: boolean;
  /** Texts or token ids that the form holds from, each included; until then the answer is free. @default it holds from the start */
  grammarTriggers?: readonly (string | number)[];
  /** Stands between the model and the caller: pieces and message are what it gives. @default none */
  filter?: AnswerFilter;
  signal?: AbortSignal;
}

/**
 * A prompt: text or token ids are appended; messages are the whole conversation, and so is a list of
 * parts, the beginning token included. What a session has of them already is not computed again.
 */
export type Prompt = string | ArrayLike<number> | readonly ChatMessage[] | readonly PromptPart[];

/**
 * Part of a prompt: token ids, or given rows, [count][width of the token embeddings], which take the
 * place of embeddings, as those of an image do. A row counts as one token; it is the same as another
 * where all its bits are. Models that multiply the embeddings of tokens do so with given rows too,
 * except Gemma 3, 3n and 4, as in llama.cpp.
 */
export type PromptPart = ArrayLike<number> | { readonly rows: Float32Array };

/** What drafts came to; `tokens / steps` is the gain over one token a step. */
export interface SpeculationStats {
  /** Tokens drafted, and how many of them were accepted. */
  readonly drafted: number;
  readonly accepted: number;
  /** Steps of the model behind the prompt, and the tokens that came of them. */
  readonly steps: number;
  readonly tokens: number;
}

/** A session's latest answer and its context. */
export interface SessionStats extends Usage {
  /** Missing before the first answer. */
  readonly finishReason?: FinishReason;
  readonly contextUsed: number;
  readonly contextLength: number;
  /** Pages of the cache for all sessions of the model: all, those that can be had, and of these those that are kept. */
  readonly pool?: { readonly total: number; readonly free: number; readonly kept: number };
}

/** A saved session; of a Blob or File no more is read than needed. */
export type SavedSession = Uint8Array | ArrayBuffer | Blob;

/** One conversation: a sequence in the cache. */
export interface Session extends AsyncDisposable {
  /** Tokens of the session; a negative number stands for a given row, the same for the same row. */
  readonly tokens: readonly number[];
  /**
   * The answer to a prompt: `for await (const piece of session.generate(…))` streams it,
   * `const { message, finishReason, usage } = await session.generate(…)` gives it whole. Breaking out
   * of the loop stops the work; the session stays at the last token that was yielded.
   * Errors: `input/invalid`, `session/busy`, `session/disposed`, `context/overflow`, `device/lost`;
   * an aborted `signal` throws its reason.
   */
  generate(prompt: Prompt, options?: GenerateOptions): AnswerStream;
  /** Raw logits [tokens][vocabulary] of each position of `tokens`, or of parts, appended to the session. */
  logits(
    tokens: ArrayLike<number> | readonly PromptPart[],
    options?: { signal?: AbortSignal },
  ): Promise<Float32Array>;
  /**
   * Another session with the same tokens, which goes its own way. What both have is held once; nothing is computed.
   * Errors: `session/busy`, `session/disposed`.
   */
  fork(): Session;
  /**
   * The session as bytes: its tokens, and their computed rows where these are in the cache. They can be restored on any
   * runtime with the same model and cache types. The session is busy meanwhile.
   */
  save(options?: { signal?: AbortSignal }): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * Takes the place of what the session has. Errors: `session/corrupt` for bytes that were cut or changed,
   * `session/mismatch` for another model, cache type or version, `context/overflow` for more tokens than the context
   * holds; the session is then as it was.
   */
  restore(saved: SavedSession, options?: { signal?: AbortSignal }): Promise<void>;
  /** Forgets everything. */
  reset(): void;
  stats(): SessionStats;
  dispose(): Promise<void>;
}

/** A text as an embedding model sees it. */
export interface Embedding {
  readonly vector: Float32Array;
  /** Tokens of the text. */
  readonly tokens: number;
}

export interface Model extends AsyncDisposable {
  readonly file: ModelFile;
  readonly architecture: string;
  /** `model/no-tokenizer` is thrown on first use when the file has none. */
  readonly tokenizer: Tokenizer;
  readonly contextLength: number;
  readonly device: {
    readonly kind: "gpu" | "cpu";
    readonly name: string;
    readonly software: boolean;
  };
  readonly memory: { readonly weights: number; readonly cache: number; readonly arena: number };
  session(): Session;
  /**
   * The text and the tokens of a conversation, as `generate` would compute it; those of the options of `generate` that
   * have no part in it are passed over. Errors: `input/invalid`, `template/failed`, `context/overflow`.
   */
  render(messages: readonly ChatMessage[], options?: RenderOptions): RenderedPrompt;
  /**
   * One vector for each text, pooled and normalised as the model says; token ids are taken as they are.
   * Errors: `model/unsupported` for other models.
   */
  embed(
    texts: readonly (string | readonly number[])[],
    options?: { signal?: AbortSignal },
  ): Promise<Embedding[]>;
  /**
   * After a lost device: loads the weights again; sessions go on from their tokens. Calls at the same
   * time share the work. What is computed meanwhile fails with `device/lost`; new calls, and answers
   * that wait for their reader, go on when it is done. After a failure or an abort by `signal` it can
   * be called again; `dispose()` ends it with `session/disposed`.
   */
  restore(options?: { signal?: AbortSignal }): Promise<void>;
  dispose(): Promise<void>;
}
