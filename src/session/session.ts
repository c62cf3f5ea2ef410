/** One conversation: what it remembers, and the way from a prompt to pieces. */
import { WebggufError } from "../base/errors.ts";
import { checkOptions, signalRules } from "../base/options.ts";
import { contextOverflow } from "../base/overflow.ts";
import { Follower } from "../base/signals.ts";
import { inTurns } from "../base/steps.ts";
import { shorten } from "../graph/executor.ts";
import { PAGE } from "../graph/prefixes.ts";
import type { StepResult } from "../graph/requests.ts";
import type { SavedRows, Saving } from "../graph/saved.ts";
import { AnswerReader } from "./answer.ts";
import { answerStream } from "./answer-stream.ts";
import { type Constraint, constraintFor } from "./constraint.ts";
import { asyncDispose } from "./dispose.ts";
import { filtered, type Run } from "./filter.ts";
import { GivenVectors, requestsFor } from "./history.ts";
import type { Loaded, Place } from "./loaded.ts";
import { NgramDrafter } from "./ngram.ts";
import { checkGenerate, checkTokens, savedRule } from "./options.ts";
import { itemsOf, readPrompt, requireSome } from "./prompt.ts";
import { samplingFor } from "./sampling.ts";
import type { SavedFor } from "./saved.ts";
import { severalAnswers } from "./several.ts";
import { newTally, speculate, type Tally } from "./speculate.ts";
import { drafterFor } from "./speculation.ts";
import { decode, type Sampled } from "./step.ts";
import type {
  Answer,
  AnswerStream,
  FinishReason,
  GenerateOptions,
  Piece,
  Prompt,
  PromptPart,
  SavedSession,
  Session,
  SessionStats,
  Usage,
} from "./types.ts";

/** Floats of logits that are read at once. */
const LOGITS_AT_ONCE = 1 << 24;

/** A {@link Session} on an executor of this process. */
export function createSession(model: Loaded): Session {
  return new ModelSession(model);
}

class ModelSession implements Session {
  readonly #model: Loaded;
  /** Holds the session's sequence, and is let go of when nobody holds the session any more. */
  readonly #holder = {};
  readonly #closing = new AbortController();
  readonly #ngram = new NgramDrafter();
  /** Tokens and given rows, the vectors of these apart. */
  #items: number[] = [];
  readonly #vectors = new GivenVectors();
  /** What reads the latest answer, unless that ended by itself. */
  #reader: AnswerReader | undefined;
  #busy = false;
  /** Several answers are on their way. */
  #forked = false;
  #stats: Omit<SessionStats, "contextUsed" | "contextLength" | "pool"> = {
    promptTokens: 0,
    cachedTokens: 0,
    completionTokens: 0,
    promptMs: 0,
    completionMs: 0,
  };

  constructor(model: Loaded) {
    this.#model = model;
    model.holders.register(this, this.#holder);
  }

  get tokens(): readonly number[] {
    return this.#items;
  }

  generate(prompt: Prompt, options: GenerateOptions = {}): AnswerStream {
    return answerStream((ended, ready) => {
      const { n } = Object(options);
      if (typeof n === "number" && n > 1) return this.#several(prompt, options, ended, ready);
      return this.#filtered(
        prompt,
        options,
      )((answer) => {
        // A filter has the last word about the end.
        this.#stats = { ...this.#stats, finishReason: answer.finishReason };
        ended(answer);
      });
    });
  }

  #filtered(prompt: Prompt, options: GenerateOptions, ofSeveral = false): Run {
    return filtered((ended) => this.#generate(prompt, options, ended, ofSeveral), options);
  }

  /** The first answer is the session's own, the others are those of forks. */
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
      const whole = (answer: Answer): void => {
        this.#stats = { ...answer.usage, finishReason: answer.finishReason };
        ended(answer);
      };
      yield* severalAnswers(prompt, options, own, () => this.#fork(), whole, ready);
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
    const started = performance.now();
    let firstAt = 0;
    let completionTokens = 0;
    let finishReason: FinishReason = "aborted";
    let stopText: string | undefined;
    let counts = { promptTokens: 0, cachedTokens: 0 };
    let queueMs = 0;
    let first = true;
    const onStep = (results: readonly StepResult[]): void => {
      if (!first) return;
      first = false;
      const cached = results.reduce((sum, { cached = 0 }) => sum + cached, counts.cachedTokens);
      counts = { ...counts, cachedTokens: Math.max(0, cached) };
      queueMs += results[0].waited ?? 0;
    };
    let tally: Tally | undefined;
    let constraint: Constraint | undefined;
    let reader: AnswerReader | undefined;
    const model = this.#model;
    const follower = new Follower(options.signal, this.#closing.signal, model.closing);
    const { signal } = follower;
    let place: Place | undefined;
    let steps: AsyncGenerator<Sampled, void, undefined> | undefined;
    let valid = 0;
    const fresh = options.shareCache === false;
    try {
      signal.throwIfAborted();
      this.#requireLogits();
      const vectors = this.#vectors;
      // What must not be called is not told of.
      const offered = options.toolChoice === "none" ? { ...options, tools: undefined } : options;
      const { common, items, ...read } = await inTurns(
        readPrompt(model, this.#items, prompt, offered, vectors),
        signal,
      );
      constraint = await constraintFor(options, model, read.chat);
      const { limit, limitedBy } = this.#room(items.length, options.maxTokens ?? -1);
      // An answer that goes on is in the channel, or the call, where it stood.
      const goesOn = common === items.length && common === this.#items.length;
      const before = goesOn ? this.#reader : undefined;
      const parser = read.parser ?? before?.parser;
      reader = new AnswerReader(model.findTokenizer(), parser, options, before?.held);
      this.#reader = reader;
      const asked = performance.now();
      place = await model.acquire(this.#holder, signal);
      queueMs = performance.now() - asked;
      valid = shorten(place.executor, place.sequence, Math.min(common, items.length - 1));
      this.#items = items.slice(0, common);
      counts = { promptTokens: items.length, cachedTokens: valid };
      if (limit === 0 || constraint?.over) {
        await this.#feed(place, items.slice(valid), signal, fresh, onStep);
        this.#items = items;
        valid = items.length;
        finishReason = limit === 0 ? limitedBy : "stop";
        return;
      }
      const sampling = samplingFor(model, items, options, constraint);
      const start = ({ executor, sequence }: Place): typeof steps => {
        const { speculation, draftModel } = model;
        const feed = items.slice(valid);
        const left = limit - completionTokens;
        const run = {
          ...{ executor, sequence, feed, vectors, limit: left, sampling, signal, fresh, onStep },
        };
        const wanted = options.speculation;
        const drafter = drafterFor(wanted, speculation, draftModel, this.#ngram, sequence);
        if (!drafter) return decode(run);
        tally ??= newTally();
        return speculate({ ...run, ...speculation, items, drafter, tally });
      };
      steps = start(place);
      for (;;) {
        const next = await steps!.next();
        if (next.done) return;
        if (completionTokens === 0) {
          firstAt = performance.now();
          this.#items = items;
        }
        valid = items.length;
        items.push(next.value.token);
        completionTokens++;
        const atLimit = completionTokens === limit;
        const through = constraint?.over === true && constraint.complete;
        const over = atLimit || constraint?.over === true;
        const taken = reader.take(next.value, over);
        if (taken.ended) this.#reader = undefined;
        // Between pieces the session is idle, and nothing keeps hold of it.
        follower.rest();
        model.sequences.pause(this.#holder);
        yield* taken.pieces;
        if (taken.ended || over) {
          const calls = reader.message.tool_calls?.some((call) => !call.unfinished);
          finishReason = !taken.ended && !through ? limitedBy : calls ? "tool-calls" : "stop";
          stopText = taken.stopText;
          return;
        }
        follower.follow();
        signal.throwIfAborted();
        if (!model.resume(this.#holder, place)) {
          await steps!.return();
          place = await model.acquire(this.#holder, signal);
          valid = shorten(place.executor, place.sequence, items.length - 1);
          steps = start(place);
        }
      }
    } catch (error) {
      signal.throwIfAborted();
      throw place ? model.failure(error, place) : error;
    } finally {
      follower.rest();
      await steps?.return();
      const held = place ? Math.min(valid, place.executor.length(place.sequence)) : 0;
      const pages = Math.ceil(held / PAGE);
      this.#leave(place, valid);
      const now = performance.now();
      const usage: Usage = {
        ...counts,
        completionTokens,
        promptMs: (firstAt || now) - started,
        completionMs: firstAt ? now - firstAt : 0,
        queueMs,
        pages,
        ...(tally && { speculation: tally }),
        ...(constraint && { forcedTokens: constraint.forcedTokens }),
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
    options: { signal?: AbortSignal } = {},
  ): Promise<Float32Array> {
    checkOptions(options, signalRules);
    checkTokens(tokens);
    this.#enter();
    const model = this.#model;
    const follower = new Follower(options.signal, this.#closing.signal, model.closing);
    let place: Place | undefined;
    let valid = 0;
    try {
      follower.signal.throwIfAborted();
      this.#requireLogits();
      const appended = requireSome(itemsOf(model, tokens, this.#vectors));
      const all = [...this.#items, ...appended];
      this.#room(all.length, 0);
      place = await model.acquire(this.#holder, follower.signal);
      const { executor, sequence } = place;
      const start = this.#items.length;
      valid = shorten(executor, sequence, start);
      await this.#feed(place, all.slice(valid, start), follower.signal);
      const width = model.graph.vocabulary;
      const out = new Float32Array(appended.length * width);
      const rows = Math.max(1, Math.floor(LOGITS_AT_ONCE / width));
      for (let at = 0; at < appended.length; at += rows) {
        const piece = appended.slice(at, at + rows);
        const asked = { outputs: "all", read: true } as const;
        const requests = requestsFor(sequence, piece, this.#vectors, asked);
        let to = at * width;
        for (const { rows } of await executor.step(requests, follower.signal)) {
          out.set(rows, to);
          to += rows.length;
        }
      }
      this.#items = all;
      this.#reader = undefined;
      valid = all.length;
      return out;
    } catch (error) {
      follower.signal.throwIfAborted();
      throw place ? model.failure(error, place) : error;
    } finally {
      this.#vectors.retain(this.#items);
      follower.rest();
      this.#leave(place, valid);
      this.#busy = false;
    }
  }

  fork(): Session {
    this.#checkFree();
    return this.#fork();
  }

  #fork(): ModelSession {
    const { sequences } = this.#model;
    const fork = new ModelSession(this.#model);
    sequences.remember(fork.#holder, sequences.text(this.#holder));
    fork.#take(this.#items.slice(), this.#vectors.all, this.#reader?.held);
    return fork;
  }

  async save(options: { signal?: AbortSignal } = {}): Promise<Uint8Array<ArrayBuffer>> {
    checkOptions(options, signalRules);
    return this.#alone(options.signal, async (signal) => {
      const { encodeSession } = await import("./saved.ts");
      const model = this.#model;
      const { sequences } = model;
      const items = this.#items;
      const { executor: asked } = model;
      const saving = await asked.saving?.();
      let rows: SavedRows | undefined;
      // Rows that are not at hand are computed when the session goes on.
      if (sequences.has(this.#holder)) {
        const { executor, sequence } = await model.acquire(this.#holder, signal);
        if (executor === asked) rows = await saving?.save(sequence);
      }
      const text = sequences.text(this.#holder);
      if (!rows?.length || rows.length > text.length) rows = undefined;
      const held = this.#reader?.held ?? new Uint8Array();
      const parts = { items, vectors: this.#vectors.all, text, rows, held };
      return encodeSession(parts, this.#savedFor(saving));
    });
  }

  async restore(saved: SavedSession, options: { signal?: AbortSignal } = {}): Promise<void> {
    checkOptions(options, signalRules);
    savedRule(saved, "the saved session");
    await this.#alone(options.signal, async (signal) => {
      const { decodeSession } = await import("./saved.ts");
      const { executor: asked } = this.#model;
      const saving = await asked.saving?.();
      const wanted = this.#savedFor(saving);
      const { items, vectors, text, rows, held } = await decodeSession(saved, wanted);
      const { executor, sequence } = await this.#model.acquire(this.#holder, signal);
      if (rows && saving && executor === asked) saving.load(sequence, text, rows);
      else executor.texts?.resume(sequence, text);
      this.#take([...items], vectors, held);
    });
  }

  #savedFor(saving: Saving | undefined): SavedFor {
    const { file, graph, executor } = this.#model;
    const { contextLength, kind } = executor;
    return { file, graph, contextLength, kind, forms: saving?.forms };
  }

  #take(
    items: number[],
    vectors: ReadonlyMap<number, Float32Array>,
    held: Uint8Array = new Uint8Array(),
  ): void {
    this.#items = items;
    this.#vectors.replace(vectors);
    this.#reader =
      held.length > 0
        ? new AnswerReader(this.#model.findTokenizer(), undefined, {}, held)
        : undefined;
  }

  /** Does something during which nothing else is done with the session. */
  async #alone<T>(
    given: AbortSignal | undefined,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    this.#enter();
    const model = this.#model;
    const follower = new Follower(given, this.#closing.signal, model.closing);
    const { executor } = model;
    try {
      follower.signal.throwIfAborted();
      return await work(follower.signal);
    } catch (error) {
      follower.signal.throwIfAborted();
      throw model.failure(error, { executor, sequence: 0 });
    } finally {
      follower.rest();
      this.#leave(undefined, 0);
      this.#busy = false;
    }
  }

  reset(): void {
    this.#checkFree();
    this.#items = [];
    this.#vectors.retain([]);
    this.#model.sequences.drop(this.#holder);
  }

  stats(): SessionStats {
    return {
      ...this.#stats,
      contextUsed: this.#items.length,
      contextLength: this.#model.executor.contextLength,
      pool: this.#model.executor.pages,
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
    // What is computing drops it when it ends.
    if (!this.#model.sequences.isBusy(this.#holder)) this.#model.sequences.drop(this.#holder);
  }

  [asyncDispose](): Promise<void> {
    return this.dispose();
  }

  #checkFree(): void {
    this.#closing.signal.throwIfAborted();
    this.#model.closing.throwIfAborted();
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

  /** Takes back the rows that the session's tokens do not have, and lets go of the sequence. */
  #leave(place: Place | undefined, valid: number): void {
    const { sequences } = this.#model;
    if (place && this.#model.resume(this.#holder, place)) {
      const { executor, sequence } = place;
      if (executor.length(sequence) > valid) executor.rewind(sequence, valid);
    }
    if (this.#closing.signal.aborted) sequences.drop(this.#holder);
    else sequences.release(this.#holder);
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
      throw contextOverflow(context, length + Number(maxTokens !== 0));
    return maxTokens < 0 || maxTokens > room
      ? { limit: room, limitedBy: "context" }
      : { limit: maxTokens, limitedBy: "length" };
  }

  async #feed(
    { executor, sequence }: Place,
    items: readonly number[],
    signal: AbortSignal,
    fresh = false,
    onStep?: (results: readonly StepResult[]) => void,
  ): Promise<void> {
    if (items.length === 0) return;
    const asked = { outputs: "none", fresh } as const;
    onStep?.(await executor.step(requestsFor(sequence, items, this.#vectors, asked), signal));
  }
}
