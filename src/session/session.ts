/** One conversation: what it remembers, and the way from a prompt to pieces. */
import { WebggufError } from "../base/errors.ts";
import { type Executor, shorten } from "../graph/executor.ts";
import type { SequenceId } from "../graph/requests.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { Answer } from "./answer.ts";
import { asyncDispose } from "./dispose.ts";
import type { DraftModel } from "./draft-model.ts";
import { drawingFor } from "./draw.ts";
import { NgramDrafter } from "./ngram.ts";
import { type PromptText, readPrompt } from "./prompt.ts";
import type { Sequences } from "./sequences.ts";
import { newTally, speculate, type Tally } from "./speculate.ts";
import { drafterFor, type Speculation } from "./speculation.ts";
import { decode } from "./step.ts";
import type { GenerateOptions, Piece, Prompt, Session, SessionStats, StopReason } from "./types.ts";

/** What a session needs of its model. */
export interface SessionHost extends PromptText {
  /** The executor at hand: another one after `restore()`. */
  readonly executor: Executor;
  readonly sequences: Sequences;
  readonly tokenizer: Tokenizer;
  readonly vocabulary: number;
  /** Undefined where the file has no usable one: tokens in, tokens out works all the same. */
  findTokenizer(): Tokenizer | undefined;
  readonly outputKind: "logits" | "embeddings";
  readonly speculation: Speculation;
  readonly draftModel: DraftModel | undefined;
  forget(session: Session): void;
}

/** Floats of logits that are read at once. */
const LOGITS_AT_ONCE = 1 << 24;

/** A {@link Session} on an executor of this process. */
export function createSession(host: SessionHost): Session {
  return new ModelSession(host);
}

class ModelSession implements Session {
  readonly #host: SessionHost;
  readonly #closing = new AbortController();
  readonly #ngram = new NgramDrafter();
  #tokens: number[] = [];
  #busy = false;
  #stats: Omit<SessionStats, "contextUsed" | "contextLength"> = {
    promptTokens: 0,
    cachedTokens: 0,
    generatedTokens: 0,
    promptMs: 0,
    generateMs: 0,
  };

  constructor(host: SessionHost) {
    this.#host = host;
  }

  get tokens(): readonly number[] {
    return this.#tokens;
  }

  async *generate(
    prompt: Prompt,
    options: GenerateOptions = {},
  ): AsyncGenerator<Piece, void, undefined> {
    this.#enter();
    const started = performance.now();
    let firstAt = 0;
    let generated = 0;
    let stopReason: StopReason = "aborted";
    let before = { promptTokens: 0, cachedTokens: 0 };
    let tally: Tally | undefined;
    try {
      const host = this.#host;
      const signal = this.#signal(options.signal);
      signal.throwIfAborted();
      this.#requireLogits();
      const { kept, tokens, parser } = readPrompt(host, this.#tokens, prompt, options);
      const { limit, limitedBy } = this.#room(tokens.length, options.maxTokens ?? -1);
      const sequence = await host.sequences.acquire(this, signal);
      const executor = host.executor;
      const held = shorten(executor, sequence, Math.min(kept, tokens.length - 1));
      this.#tokens = tokens.slice(0, kept);
      before = { promptTokens: tokens.length - held, cachedTokens: held };
      let valid = held;
      try {
        if (limit === 0) {
          await this.#feed(executor, sequence, tokens.slice(held), signal);
          this.#tokens = tokens;
          valid = tokens.length;
          stopReason = limitedBy;
          return;
        }
        const answer = new Answer(host.findTokenizer(), parser, options);
        const drawing = drawingFor(host, tokens, options);
        const feed = tokens.slice(held);
        const run = { executor, sequence, feed, limit, drawing, signal };
        const { speculation, draftModel } = host;
        const wanted = options.speculation;
        const drafter = drafterFor(wanted, speculation, draftModel, this.#ngram, sequence);
        tally = drafter && newTally();
        const steps =
          drafter && tally
            ? speculate({ ...run, ...speculation, tokens, drafter, tally })
            : decode(run);
        for await (const drawn of steps) {
          if (generated === 0) {
            firstAt = performance.now();
            this.#tokens = tokens;
          }
          valid = this.#tokens.length;
          this.#tokens.push(drawn.token);
          generated++;
          const { pieces, ended } = answer.take(drawn, generated === limit);
          if (ended) stopReason = "stop";
          else if (generated === limit) stopReason = limitedBy;
          yield* pieces;
          if (ended) return;
          signal.throwIfAborted();
        }
      } finally {
        if (executor.length(sequence) > valid) executor.rewind(sequence, valid);
        if (this.#closing.signal.aborted) host.sequences.drop(this);
        else host.sequences.release(this);
      }
    } finally {
      const ended = performance.now();
      this.#stats = {
        ...before,
        generatedTokens: generated,
        promptMs: (firstAt || ended) - started,
        generateMs: firstAt ? ended - firstAt : 0,
        stopReason,
        ...(tally && { speculation: tally }),
      };
      this.#busy = false;
    }
  }

  async logits(tokens: ArrayLike<number>, signal?: AbortSignal): Promise<Float32Array> {
    this.#enter();
    try {
      const host = this.#host;
      const either = this.#signal(signal);
      either.throwIfAborted();
      this.#requireLogits();
      const appended = readPrompt(host, [], tokens, {}).tokens;
      const all = [...this.#tokens, ...appended];
      this.#room(all.length, 0);
      const sequence = await host.sequences.acquire(this, either);
      const executor = host.executor;
      const start = this.#tokens.length;
      let valid = 0;
      try {
        const held = shorten(executor, sequence, start);
        valid = held;
        await this.#feed(executor, sequence, all.slice(held, start), either);
        const width = host.vocabulary;
        const out = new Float32Array(appended.length * width);
        const rows = Math.max(1, Math.floor(LOGITS_AT_ONCE / width));
        for (let at = 0; at < appended.length; at += rows) {
          const piece = appended.slice(at, at + rows);
          const [result] = await executor.step(
            [{ sequence, tokens: piece, outputs: "all", read: true }],
            either,
          );
          out.set(result.rows, at * width);
        }
        this.#tokens = all;
        valid = all.length;
        return out;
      } finally {
        if (executor.length(sequence) > valid) executor.rewind(sequence, valid);
        host.sequences.release(this);
      }
    } finally {
      this.#busy = false;
    }
  }

  reset(): void {
    this.#checkFree();
    this.#tokens = [];
    this.#host.sequences.drop(this);
  }

  stats(): SessionStats {
    return {
      ...this.#stats,
      contextUsed: this.#tokens.length,
      contextLength: this.#host.executor.contextLength,
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
    if (!this.#busy) this.#host.sequences.drop(this);
    this.#host.forget(this);
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
    if (this.#host.outputKind === "embeddings")
      throw new WebggufError(
        "model/unsupported",
        "This is an embedding model and gives no next token; use model.embed(texts)",
      );
  }

  /** How many tokens may follow `length` ones, and what ends them. */
  #room(length: number, maxTokens: number): { limit: number; limitedBy: "length" | "context" } {
    const context = this.#host.executor.contextLength;
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
    tokens: readonly number[],
    signal: AbortSignal,
  ): Promise<void> {
    if (tokens.length === 0) return;
    await executor.step([{ sequence, tokens, outputs: "none" }], signal);
  }
}
