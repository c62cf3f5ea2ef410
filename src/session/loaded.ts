/** A loaded model as its sessions know it: the file, what computes it, and what all of them share. */
import { WebggufError } from "../base/errors.ts";
import { orAborted } from "../base/signals.ts";
import type { ChatMessage } from "../chat/messages.ts";
import { type RenderedChat, type RenderOptions, renderSteps } from "../chat/render.ts";
import type { Metadata } from "../file/metadata.ts";
import type { ModelFile } from "../file/types.ts";
import type { Executor } from "../graph/executor.ts";
import type { Graph } from "../graph/graph.ts";
import type { SequenceId } from "../graph/requests.ts";
import { createTokenizer, type Tokenizer } from "../tokenizer/tokenizer.ts";
import type { ExecutorOptions } from "./backends.ts";
import type { DraftModel } from "./draft-model.ts";
import { type Opened, openExecutor } from "./open.ts";
import { Sequences } from "./sequences.ts";
import { closeFile } from "./source.ts";
import type { Speculation } from "./speculation.ts";

export interface LoadedParts {
  readonly file: ModelFile;
  readonly graph: Graph;
  readonly tokenizer: Tokenizer | undefined;
  readonly opened: Opened;
  readonly options: ExecutorOptions;
  readonly speculation: Speculation;
  readonly draftModel: DraftModel | undefined;
}

/**
 * The tokenizer of a file; undefined where it has none that is known: tokens in, tokens out works all the same.
 * Tables that contradict each other are errors.
 */
export function findTokenizer(metadata: Metadata): Tokenizer | undefined {
  try {
    return createTokenizer(metadata);
  } catch (error) {
    if (error instanceof WebggufError && error.code === "model/no-tokenizer") return undefined;
    throw error;
  }
}

/** Where a session or a text is computed. */
export interface Place {
  readonly executor: Executor;
  readonly sequence: SequenceId;
}

/** A `restore()` that goes on, for all that called it. */
interface Restoring {
  readonly stop: AbortController;
  readonly done: Promise<void>;
  callers: number;
}

export class Loaded {
  readonly file: ModelFile;
  readonly graph: Graph;
  readonly speculation: Speculation;
  readonly draftModel: DraftModel | undefined;
  readonly sequences: Sequences;
  /** Frees the sequences of sessions that nobody holds any more and nobody disposed of. */
  readonly holders: FinalizationRegistry<object> = new FinalizationRegistry((holder) =>
    this.sequences.drop(holder),
  );
  readonly #options: ExecutorOptions;
  #opened: Opened;
  readonly #tokenizer: Tokenizer | undefined;
  readonly #closing = new AbortController();
  #closed: Promise<void> | undefined;
  #restoring: Restoring | undefined;
  /** The executor is gone, and no other has taken its place yet. */
  #lost = false;

  constructor({ file, graph, tokenizer, opened, options, speculation, draftModel }: LoadedParts) {
    this.file = file;
    this.graph = graph;
    this.speculation = speculation;
    this.draftModel = draftModel;
    this.sequences = new Sequences(opened.executor);
    this.#opened = opened;
    this.#tokenizer = tokenizer;
    // restore() does without what only loading needs.
    this.#options = { ...options, signal: undefined, device: opened.chosen };
  }

  /** The executor at hand: another one after `restore()`. */
  get executor(): Executor {
    return this.#opened.executor;
  }

  get device(): Opened["device"] {
    return this.#opened.device;
  }

  /** Errors: `model/no-tokenizer` where the file has no usable one. */
  get tokenizer(): Tokenizer {
    return this.#tokenizer ?? createTokenizer(this.file.metadata);
  }

  /** Undefined where the file has no usable one. */
  findTokenizer(): Tokenizer | undefined {
    return this.#tokenizer;
  }

  /**
   * The conversation as the model's template writes it, and what reads the answer to it; with `exact`
   * only if the context holds it, else unless it is much too long.
   */
  render(
    messages: readonly ChatMessage[],
    options: RenderOptions,
    exact: boolean,
  ): Generator<void, RenderedChat> {
    const { contextLength } = this.executor;
    return renderSteps(this.file.metadata, this.tokenizer, messages, options, contextLength, exact);
  }

  /** Fires with `session/disposed` when the model is disposed of. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** A sequence for the holder on the executor at hand; waits while there is none, and for `restore()`. */
  async acquire(holder: object, signal: AbortSignal): Promise<Place> {
    for (;;) {
      await orAborted(this.#restored(), signal);
      if (this.#lost)
        throw new WebggufError(
          "device/lost",
          "Cannot compute: the model has no device, as restoring it failed; call restore() again",
        );
      const sequence = await this.sequences.acquire(holder, signal);
      if (!this.#lost) return { executor: this.executor, sequence };
      this.sequences.release(holder);
    }
  }

  /** Whether the holder goes on where it was; else it acquires another place and computes its tokens again. */
  resume(holder: object, place: Place): boolean {
    return this.sequences.resume(holder) && !this.#lost && place.executor === this.executor;
  }

  /** What is thrown for an error of work on an executor: `restore()` may have taken that away. */
  failure(error: unknown, { executor }: Place): unknown {
    const disposed = error instanceof WebggufError && error.code === "session/disposed";
    if (!disposed || (!this.#lost && executor === this.executor)) return error;
    return new WebggufError(
      "device/lost",
      "Cannot finish: the model was restored meanwhile; ask again, the session keeps its tokens",
      { cause: error },
    );
  }

  /**
   * After a lost device: loads the weights again, of the draft model too. All calls at the same time
   * wait for the same work, which stops when the last of them is aborted; a failure leaves nothing
   * allocated, and `restore()` can be called again.
   */
  async restore(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    // What was stopped ends first.
    while (this.#restoring?.stop.signal.aborted) await orAborted(this.#restored(), signal);
    this.closing.throwIfAborted();
    this.#restoring ??= this.#startRestoring();
    const restoring = this.#restoring;
    restoring.callers++;
    try {
      await orAborted(restoring.done, signal);
    } finally {
      if (--restoring.callers === 0) {
        restoring.stop.abort(signal?.reason);
        await restoring.done.catch(() => {});
      }
    }
  }

  dispose(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  #startRestoring(): Restoring {
    const stop = new AbortController();
    const done = this.#reopen(stop.signal).finally(() => {
      this.#restoring = undefined;
    });
    return { stop, done, callers: 0 };
  }

  async #reopen(signal: AbortSignal): Promise<void> {
    this.#lost = true;
    try {
      await this.#opened.dispose();
      this.#opened = await openExecutor(this.graph, this.file, { ...this.#options, signal });
      await this.draftModel?.restore(signal);
      signal.throwIfAborted();
    } catch (error) {
      await this.#disposeExecutors();
      throw error;
    }
    this.sequences.replace(this.executor);
    this.#lost = false;
  }

  /** Resolves when no `restore()` goes on. */
  async #restored(): Promise<void> {
    await this.#restoring?.done.catch(() => {});
  }

  async #close(): Promise<void> {
    const reason = new WebggufError("session/disposed", "The model was disposed; load it again");
    this.#closing.abort(reason);
    this.#restoring?.stop.abort(reason);
    await this.#restored();
    await this.#disposeExecutors();
    await closeFile(this.file);
    if (this.draftModel) await closeFile(this.draftModel.file);
  }

  async #disposeExecutors(): Promise<void> {
    await this.#opened.dispose();
    await this.draftModel?.dispose();
  }
}
