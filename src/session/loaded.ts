/** A loaded model as its sessions know it: the file, what computes it, and what all of them share. */
import { WebggufError } from "../base/errors.ts";
import type { ChatMessage } from "../chat/messages.ts";
import { type RenderedChat, type RenderOptions, renderChat } from "../chat/render.ts";
import type { Metadata } from "../file/metadata.ts";
import type { ModelFile } from "../file/types.ts";
import type { Executor } from "../graph/executor.ts";
import type { Graph } from "../graph/graph.ts";
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

export class Loaded {
  readonly file: ModelFile;
  readonly graph: Graph;
  readonly speculation: Speculation;
  readonly draftModel: DraftModel | undefined;
  readonly sequences: Sequences;
  readonly #options: ExecutorOptions;
  #opened: Opened;
  readonly #tokenizer: Tokenizer | undefined;

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

  /** The conversation as the model's template writes it, and what reads the answer to it. */
  render(messages: readonly ChatMessage[], options: RenderOptions): RenderedChat {
    return renderChat(this.file.metadata, this.tokenizer, messages, options);
  }

  /** After a lost device: loads the weights again, of the draft model too. */
  async restore(): Promise<void> {
    await this.#opened.dispose();
    this.#opened = await openExecutor(this.graph, this.file, this.#options);
    this.sequences.replace(this.#opened.executor);
    await this.draftModel?.restore();
  }

  async dispose(): Promise<void> {
    await this.#opened.dispose();
    await closeFile(this.file);
    if (!this.draftModel) return;
    await this.draftModel.dispose();
    await closeFile(this.draftModel.file);
  }
}
