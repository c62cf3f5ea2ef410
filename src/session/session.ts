/** One conversation: what it remembers, and the way from a prompt to pieces. */
import { WebggufError } from "../base/errors.ts";
import { type Executor, shorten } from "../graph/executor.ts";
import type { SequenceId } from "../graph/requests.ts";
import { AnswerReader } from "./answer.ts";
import { answerStream } from "./answer-stream.ts";
import { asyncDispose } from "./dispose.ts";
import { GivenVectors, requestsFor } from "./history.ts";
import type { Loaded } from "./loaded.ts";
import { NgramDrafter } from "./ngram.ts";
import { itemsOf, readPrompt, requireSome } from "./prompt.ts";
import { samplingFor } from "./sampling.ts";
import { newTally, speculate, type Tally } from "./speculate.ts";
import { drafterFor } from "./speculation.ts";
import { decode } from "./step.ts";
import type {
  Answer,
  AnswerStream,
  FinishReason,
  GenerateOptions,
  Piece,
  Prompt,
  PromptPart,
  Session,
  SessionStats,
  Usage,
} from "./types.ts";

/** Floats of logits that are read at once. */
const LOGITS_AT_ONCE = 1 << 24;

/** A {@link Session} on an executor of this process. */
export function createSession(model: Loaded, onDispose: () => void): Session {
  return new ModelSession(model, onDispose);
}

class ModelSession implements Session {
  readonly #model: Loaded;
  readonly #onDispose: () => void;
  readonly #closing = new AbortController();
  readonly #ngram = new NgramDrafter();
  /** Tokens and given rows, the vectors of these apart. */
  #items: number[] = [];
  readonly #vectors = new GivenVectors();
  #busy = false;
  #stats: Omit<SessionStats, "contextUsed" | "contextLength"> = {
    promptTokens: 0,
    cachedTokens: 0,
    completionTokens: 0,
    promptMs: 0,
    completionMs: 0,
  };

  constructor(model: Loaded, onDispose: () => void) {
    this.#model = model;
    this.#onDispose = onDispose;
  }

  get tokens(): readonly number[] {
    return this.#items;
  }

  generate(prompt: Prompt, options: GenerateOptions = {}): AnswerStream {
    return answerStream((ended) => this.#generate(prompt, options, ended));
  }

  async *#generate(
    prompt: Prompt,
    options: GenerateOptions,
    ended: (answer: Answer) => void,
  ): AsyncGenerator<Piece, void, undefined> {
    this.#enter();
    const started = performance.now();
    let firstAt = 0;
    let completionTokens = 0;
    let finishReason: FinishReason = "aborted";
    let stopText: string | undefined;
    let counts = { promptTokens: 0, cachedTokens: 0 };
    let tally: Tally | undefined;
    let reader: AnswerReader | undefined;
    try {
      const model = this.#model;
      const signal = this.#signal(options.signal);
      signal.throwIfAborted();
      this.#requireLogits();
      const vectors = this.#vectors;
      const { common, items, parser } = readPrompt(model, this.#items, prompt, options, vectors);
      const { limit, limitedBy } = this.#room(items.length, options.maxTokens ?? -1);
      const sequence = await model.sequences.acquire(this, signal);
      const { executor } = model;
      const cached = shorten(executor, sequence, Math.min(common, items.length - 1));
      this.#items = items.slice(0, common);
      counts = { promptTokens: items.length, cachedTokens: cached };
      let valid = cached;
      try {
        const feed = items.slice(cached);
        if (limit === 0) {
          await this.#feed(executor, sequence, feed, signal);
          this.#items = items;
          valid = items.length;
          finishReason = limitedBy;
          return;
        }
        reader = new AnswerReader(model.findTokenizer(), parser, options);
        const sampling = samplingFor(model, items, options);
        const run = { executor, sequence, feed, vectors, limit, sampling, signal };
        const { speculation, draftModel } = model;
        const wanted = options.speculation;
        const drafter = drafterFor(wanted, speculation, draftModel, this.#ngram, sequence);
        tally = drafter && newTally();
        const steps =
          drafter && tally
            ? speculate({ ...run, ...speculation, items, drafter, tally })
            : decode(run);
        for await (const sampled of steps) {
          if (completionTokens === 0) {
            firstAt = performance.now();
            this.#items = items;
          }
          valid = this.#items.length;
          this.#items.push(sampled.token);
          completionTokens++;
          const taken = reader.take(sampled, completionTokens === limit);
          yield* taken.pieces;
          if (taken.ended || completionTokens === limit) {
            const calls = reader.message.tool_calls?.some((call) => !call.unfinished);
            finishReason = !taken.ended ? limitedBy : calls ? "tool-calls" : "stop";
            stopText = taken.stopText;
          }
          if (taken.ended) return;
          signal.throwIfAborted();
        }
      } finally {
        if (executor.length(sequence) > valid) executor.rewind(sequence, valid);
        if (this.#closing.signal.aborted) model.sequences.drop(this);
        else model.sequences.release(this);
      }
    } finally {
      const now = performance.now();
      const usage: Usage = {
        ...counts,
        completionTokens,
        promptMs: (firstAt || now) - started,
        completionMs: firstAt ? now - firstAt : 0,
        ...(tally && { speculation: tally }),
      };
      this.#stats = { ...usage, finishReason };
      this.#vectors.retain(this.#items);
      this.#busy = false;
      ended({
        message: reader?.message ?? { role: "assistant", content: "" },
        finishReason,
        ...(stopText !== undefined && { stopText }),
        usage,
      });
    }
  }

  async logits(
    tokens: ArrayLike<number> | readonly PromptPart[],
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<Float32Array> {
    this.#enter();
    try {
      const model = this.#model;
      const either = this.#signal(signal);
      either.throwIfAborted();
      this.#requireLogits();
      const appended = requireSome(itemsOf(model, tokens, this.#vectors));
      const all = [...this.#items, ...appended];
      this.#room(all.length, 0);
      const sequence = await model.sequences.acquire(this, either);
      const { executor } = model;
      const start = this.#items.length;
      let valid = 0;
      try {
        const cached = shorten(executor, sequence, start);
        valid = cached;
        await this.#feed(executor, sequence, all.slice(cached, start), either);
        const width = model.graph.vocabulary;
        const out = new Float32Array(appended.length * width);
        const rows = Math.max(1, Math.floor(LOGITS_AT_ONCE / width));
        for (let at = 0; at < appended.length; at += rows) {
          const piece = appended.slice(at, at + rows);
          const asked = { outputs: "all", read: true } as const;
          const requests = requestsFor(sequence, piece, this.#vectors, asked);
          let to = at * width;
          for (const { rows } of await executor.step(requests, either)) {
            out.set(rows, to);
            to += rows.length;
          }
        }
        this.#items = all;
        valid = all.length;
        return out;
      } finally {
        if (executor.length(sequence) > valid) executor.rewind(sequence, valid);
        model.sequences.release(this);
      }
    } finally {
      this.#vectors.retain(this.#items);
      this.#busy = false;
    }
  }

  reset(): void {
    this.#checkFree();
    this.#items = [];
    this.#vectors.retain([]);
    this.#model.sequences.drop(this);
  }

  stats(): SessionStats {
    return {
      ...this.#stats,
      contextUsed: this.#items.length,
      contextLength: this.#model.executor.contextLength,
    };
  }

  async dispose(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort(
      new WebggufError(
        "session/disposed",
        "The session was disposed; make another with model.session()",
      ),
    );
    if (!this.#busy) this.#model.sequences.drop(this);
    this.#onDispose();
  }

  [asyncDispose](): Promise<void> {
    return this.dispose();
  }

  #checkFree(): void {
    this.#closing.signal.throwIfAborted();
    if (this.#busy)
      throw new WebggufError(
        "session/busy",
        "The session is still generating; finish or break out of that loop first, or use another session",
      );
  }

  #enter(): void {
    this.#checkFree();
    this.#busy = true;
  }

  #signal(signal: AbortSignal | undefined): AbortSignal {
    return signal ? AbortSignal.any([signal, this.#closing.signal]) : this.#closing.signal;
  }

  #requireLogits(): void {
    if (this.#model.graph.outputKind === "embeddings")
      throw new WebggufError(
        "model/unsupported",
        "This is an embedding model and gives no next token; use model.embed(texts)",
      );
  }

  /** How many tokens may follow `length` ones, and what ends them. */
  #room(length: number, maxTokens: number): { limit: number; limitedBy: "length" | "context" } {
    const context = this.#model.executor.contextLength;
    const room = context - length;
    if (room < 0 || (room === 0 && maxTokens !== 0))
      throw new WebggufError(
        "context/overflow",
        `The context holds ${context} tokens and the conversation needs ${length + (maxTokens === 0 ? 0 : 1)}; ` +
          "shorten it, call reset(), or load the model with a larger contextLength",
        { expected: context, actual: length },
      );
    return maxTokens < 0 || maxTokens > room
      ? { limit: room, limitedBy: "context" }
      : { limit: maxTokens, limitedBy: "length" };
  }

  async #feed(
    executor: Executor,
    sequence: SequenceId,
    items: readonly number[],
    signal: AbortSignal,
  ): Promise<void> {
    if (items.length === 0) return;
    const asked = { outputs: "none" } as const;
    await executor.step(requestsFor(sequence, items, this.#vectors, asked), signal);
  }
}
