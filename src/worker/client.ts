/** The page's side: a Model and Sessions that speak to the real ones in a worker. */
import { WebggufError } from "../base/errors.ts";
import { checkOptions, listOf, signalRules, textOrIds } from "../base/options.ts";
import type { ChatMessage } from "../chat/messages.ts";
import { type RenderedPrompt, type RenderOptions, renderChat } from "../chat/render.ts";
import { Metadata } from "../file/metadata.ts";
import type { ModelFile } from "../file/types.ts";
import { answerStream } from "../session/answer-stream.ts";
import { asyncDispose } from "../session/dispose.ts";
import { filtered, type Run } from "../session/filter.ts";
import {
  checkGenerate,
  checkTokens,
  generateRules,
  loadRules,
  savedRule,
} from "../session/options.ts";
import { isParts } from "../session/prompt.ts";
import { severalAnswers } from "../session/several.ts";
import { modelSource } from "../session/source-rules.ts";
import type {
  Answer,
  AnswerStream,
  Embedding,
  GenerateOptions,
  LoadOptions,
  Model,
  ModelPart,
  ModelSource,
  Piece,
  Prompt,
  PromptPart,
  SavedSession,
  Session,
  SessionStats,
} from "../session/types.ts";
import { createTokenizer, type Tokenizer } from "../tokenizer/tokenizer.ts";
import { Link } from "./link.ts";
import {
  type ModelFacts,
  type NextPiece,
  type PlainFile,
  type Port,
  portRule,
  type Request,
  type SessionState,
} from "./protocol.ts";

/**
 * Loads a model inside a worker that runs {@link serveModel}; GPU objects cannot be posted, so the
 * model and its sessions here are stand-ins with the same methods. The tokenizer works on this side.
 *
 * ```ts
 * const worker = new Worker(new URL("./engine.ts", import.meta.url), { type: "module" });
 * const model = await loadModelInWorker(worker, file);
 * ```
 *
 * A ByteSource of one's own cannot be posted (`input/invalid`). The worker stays the caller's:
 * after `model.dispose()` it can be used again or terminated.
 */
export async function loadModelInWorker(
  worker: Port,
  source: ModelSource,
  options: LoadOptions = {},
): Promise<Model> {
  checkOptions(options, loadRules);
  portRule(worker, "the worker");
  const { signal, onProgress, onNotice, ...rest } = options;
  signal?.throwIfAborted();
  const message = { source: postable(source), options: postableOptions(rest) };
  const link = new Link(worker);
  try {
    const facts = await link.ask<ModelFacts>(
      { do: "load", ...message },
      { signal, onProgress, onNotice },
    );
    return new RemoteModel(link, facts);
  } catch (error) {
    link.close();
    throw error;
  }
}

class RemoteModel implements Model {
  readonly file: ModelFile;
  readonly architecture: string;
  readonly #link: Link;
  readonly #id: number;
  #facts: ModelFacts;
  #tokenizer: Tokenizer | undefined;
  #disposed: Promise<void> | undefined;

  constructor(link: Link, facts: ModelFacts) {
    this.#link = link;
    this.#id = facts.model;
    this.#facts = facts;
    this.architecture = facts.architecture;
    this.file = realFile(facts.file);
  }

  get tokenizer(): Tokenizer {
    this.#tokenizer ??= createTokenizer(this.file.metadata);
    return this.#tokenizer;
  }
  get contextLength(): number {
    return this.#facts.contextLength;
  }
  get device(): Model["device"] {
    return this.#facts.device;
  }
  get memory(): Model["memory"] {
    return this.#facts.memory;
  }

  session(): Session {
    if (this.#disposed)
      throw new WebggufError("session/disposed", "The model was disposed; load it again");
    const asked = this.#link.start({ do: "session", model: this.#id });
    return new RemoteSession(this.#link, asked, this.contextLength);
  }
  render(messages: readonly ChatMessage[], options: RenderOptions = {}): RenderedPrompt {
    checkOptions<GenerateOptions>(options, generateRules);
    const { metadata } = this.file;
    const { text, tokens } = renderChat(
      metadata,
      this.tokenizer,
      messages,
      options,
      this.contextLength,
      false,
    );
    return { text, tokens };
  }
  async embed(
    texts: readonly (string | readonly number[])[],
    options: { signal?: AbortSignal } = {},
  ): Promise<Embedding[]> {
    checkOptions(options, signalRules);
    listOf(textOrIds)(texts, "texts");
    options.signal?.throwIfAborted();
    return this.#link.ask({ do: "embed", model: this.#id, texts }, options);
  }
  async restore(options: { signal?: AbortSignal } = {}): Promise<void> {
    checkOptions(options, signalRules);
    options.signal?.throwIfAborted();
    this.#facts = await this.#link.ask({ do: "restore", model: this.#id }, options);
  }
  dispose(): Promise<void> {
    this.#disposed ??= this.#link
      .end<void>({ do: "endModel", model: this.#id })
      .finally(() => this.#link.close());
    return this.#disposed;
  }
  [asyncDispose](): Promise<void> {
    return this.dispose();
  }
}

/** Ends over there the sessions whose stand-ins nobody holds any more. */
const forgotten = new FinalizationRegistry<() => Promise<void>>((end) => end().catch(() => {}));

class RemoteSession implements Session {
  readonly #link: Link;
  /** The session's number is that of the request that made it. */
  readonly #id: number;
  #tokens: number[] = [];
  #stats: SessionStats;
  #busy = false;
  /** Several answers are on their way. */
  #forked = false;
  #disposed = false;

  /** @param asked what makes the session over there */
  constructor(link: Link, asked: ReturnType<Link["start"]>, contextLength: number) {
    this.#link = link;
    this.#id = asked.id;
    asked.reply.catch(() => {}); // a failure shows at the first use
    forgotten.register(this, () => link.end({ do: "endSession", session: asked.id }));
    this.#stats = {
      promptTokens: 0,
      cachedTokens: 0,
      completionTokens: 0,
      promptMs: 0,
      completionMs: 0,
      contextUsed: 0,
      contextLength,
    };
  }

  get tokens(): readonly number[] {
    return this.#tokens;
  }
  stats(): SessionStats {
    return this.#stats;
  }

  generate(prompt: Prompt, options: GenerateOptions = {}): AnswerStream {
    return answerStream((ended, ready) => {
      const { n, filter } = Object(options) as GenerateOptions;
      // Each answer has a filter of its own, which is here.
      if (typeof n === "number" && n > 1 && filter)
        return this.#several(prompt, options, ended, ready);
      return this.#filtered(
        prompt,
        options,
      )((answer) => {
        this.#stats = { ...this.#stats, finishReason: answer.finishReason };
        ended(answer);
      });
    });
  }

  #filtered(prompt: Prompt, options: GenerateOptions, ofSeveral = false): Run {
    return filtered((ended) => this.#generate(prompt, options, ended, ofSeveral), options);
  }

  async *#several(
    prompt: Prompt,
    options: GenerateOptions,
    ended: (answer: Answer) => void,
    ready: Piece[],
  ): AsyncGenerator<Piece, void, undefined> {
    checkGenerate(prompt, options);
    this.#checkFree();
    this.#forked = true;
    const own = (options: GenerateOptions): AnswerStream =>
      answerStream(this.#filtered(prompt, options, true));
    try {
      yield* severalAnswers(prompt, options, own, () => this.#fork(), ended, ready);
    } finally {
      this.#forked = false;
    }
  }

  async *#generate(
    prompt: Prompt,
    options: GenerateOptions,
    ended: (answer: Answer) => void,
    ofSeveral = false,
  ): AsyncGenerator<Piece, void, undefined> {
    checkGenerate(prompt, options);
    if (!ofSeveral) this.#checkFree();
    this.#busy = true;
    const { signal, filter, ...rest } = options;
    const onState = (state: SessionState): void => this.#note(state);
    try {
      signal?.throwIfAborted();
      const asked = {
        do: "open",
        session: this.#id,
        prompt: posted(prompt),
        options: rest,
      } as const;
      const opened = this.#link.start(asked, { onState, signal });
      const request = { session: this.#id, stream: opened.id };
      try {
        await opened.reply;
        for (;;) {
          const next = await this.#link.ask<NextPiece>(
            { do: "next", ...request },
            { onState, signal },
          );
          if (next.done) return;
          for (const piece of [next.value, ...next.more]) {
            yield piece;
            signal?.throwIfAborted();
          }
        }
      } catch (error) {
        throw signal?.aborted ? signal.reason : error;
      } finally {
        // What is computed stops, so that the end comes soon.
        this.#link.abort(opened.id);
        const answer = await this.#link.end<Answer | undefined>(
          { do: "close", ...request },
          { onState },
        );
        if (answer) ended(answer);
      }
    } finally {
      this.#busy = false;
    }
  }

  async logits(
    tokens: ArrayLike<number> | readonly PromptPart[],
    options: { signal?: AbortSignal } = {},
  ): Promise<Float32Array> {
    checkOptions(options, signalRules);
    checkTokens(tokens);
    return this.#alone({ do: "logits", session: this.#id, tokens: posted(tokens) }, options);
  }

  /** Asks for something during which nothing else is asked of the session. */
  async #alone<T>(request: Request, { signal }: { signal?: AbortSignal }): Promise<T> {
    this.#enter();
    const onState = (state: SessionState): void => this.#note(state);
    try {
      signal?.throwIfAborted();
      return await this.#link.ask<T>(request, { signal, onState });
    } finally {
      this.#busy = false;
    }
  }

  fork(): Session {
    this.#checkFree();
    return this.#fork();
  }

  #fork(): Session {
    const asked = this.#link.start({ do: "fork", session: this.#id });
    const fork = new RemoteSession(this.#link, asked, this.#stats.contextLength);
    fork.#tokens = this.#tokens;
    fork.#stats = { ...fork.#stats, contextUsed: this.#tokens.length };
    return fork;
  }

  async save(options: { signal?: AbortSignal } = {}): Promise<Uint8Array<ArrayBuffer>> {
    checkOptions(options, signalRules);
    return this.#alone({ do: "save", session: this.#id }, options);
  }

  async restore(saved: SavedSession, options: { signal?: AbortSignal } = {}): Promise<void> {
    checkOptions(options, signalRules);
    savedRule(saved, "the saved session");
    // Of a view, itself and not all of the buffer that it lies in.
    const sent = saved instanceof Uint8Array ? saved.slice() : saved;
    return this.#alone({ do: "restoreSession", session: this.#id, saved: sent }, options);
  }

  reset(): void {
    this.#checkFree();
    this.#tokens = [];
    const onState = (state: SessionState): void => this.#note(state);
    this.#link.start({ do: "reset", session: this.#id }, { onState }).reply.catch(() => {});
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    await this.#link.end({ do: "endSession", session: this.#id });
  }
  [asyncDispose](): Promise<void> {
    return this.dispose();
  }

  #note(state: SessionState): void {
    this.#tokens = [...this.#tokens.slice(0, state.common), ...state.added];
    this.#stats = state.stats;
  }

  #checkFree(): void {
    if (this.#disposed)
      throw new WebggufError(
        "session/disposed",
        "The session was disposed; make another with model.session()",
      );
    if (this.#busy || this.#forked)
      throw new WebggufError(
        "session/busy",
        "The session is still generating; finish or break out of that loop first, or use another session",
      );
  }

  #enter(): void {
    this.#checkFree();
    this.#busy = true;
  }
}

/** A source as it can be sent. */
function postable(source: ModelSource): ModelSource {
  modelSource(source, "the model");
  return Array.isArray(source) ? source.map(postablePart) : postablePart(source as ModelPart);
}

function postablePart(part: ModelPart): ModelPart {
  if (typeof part === "object" && "read" in part)
    throw new WebggufError(
      "input/invalid",
      "A ByteSource cannot be sent to a worker; pass a path, URL, File, Blob or bytes",
    );
  return part instanceof URL ? part.href : part;
}

/** Options may name a draft model. */
function postableOptions<T extends LoadOptions>(options: T): T {
  const { speculation } = options;
  if (typeof speculation !== "object" || speculation.model === undefined) return options;
  return { ...options, speculation: { ...speculation, model: postable(speculation.model) } };
}

/** A prompt as it can be sent; of given rows, themselves and not all of the buffer that they lie in. */
function posted<P extends Prompt>(prompt: P): P {
  let sent: Prompt = prompt;
  if (isParts(prompt))
    sent = prompt.map((part) => ("rows" in part ? { rows: part.rows.slice() } : Array.from(part)));
  else if (typeof prompt !== "string" && !Array.isArray(prompt))
    sent = Array.from(prompt as ArrayLike<number>);
  return sent as P;
}

function realFile(plain: PlainFile): ModelFile {
  return Object.freeze({
    ...plain,
    metadata: new Metadata(plain.name, new Map(plain.metadata)),
    tensors: new Map(plain.tensors.map((tensor) => [tensor.name, tensor])),
    sources: [],
  });
}
