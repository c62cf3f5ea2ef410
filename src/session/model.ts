/** A loaded model: the file, the executor that computes it, and the sessions on it. */
import { WebggufError } from "../base/errors.ts";
import type { ChatMessage } from "../chat/messages.ts";
import type { ModelFile } from "../file/types.ts";
import type { Executor } from "../graph/executor.ts";
import type { Graph } from "../graph/ops.ts";
import { buildGraph } from "../models/index.ts";
import { fusionNames } from "../plan/fuse/index.ts";
import { createTokenizer, type Tokenizer } from "../tokenizer/tokenizer.ts";
import type { ExecutorOptions } from "./backends.ts";
import { renderChat } from "./chat.ts";
import { asyncDispose } from "./dispose.ts";
import { type DraftModel, type DraftTarget, openDraftModel } from "./draft-model.ts";
import { embedTokens } from "./embed.ts";
import { openExecutor, type Placed } from "./open.ts";
import { Sequences } from "./sequences.ts";
import { createSession, type SessionHost } from "./session.ts";
import { closeFile, openFile } from "./source.ts";
import { type Speculation, speculationOf } from "./speculation.ts";
import type { GenerateOptions, LoadOptions, Model, ModelSource, Session } from "./types.ts";

/**
 * Loads a model from a path, an http(s) URL, a File or Blob, or bytes.
 *
 * ```ts
 * import { loadModel } from "webgguf";
 * await using model = await loadModel("models/webgguf-tale-q8_0.gguf");
 * const session = model.session();
 * for await (const piece of session.generate([{ role: "user", content: "What is 7 + 5?" }]))
 *   console.log(piece.text);
 * ```
 *
 * Errors: `gguf/*` and `source/*` for the file, `model/*` for what is in it, `device/*` for the GPU,
 * `input/invalid` for options. An aborted `options.signal` throws its reason and leaves nothing allocated.
 */
export async function loadModel(source: ModelSource, options: LoadOptions = {}): Promise<Model> {
  checkOptions(options);
  // The draft model's bytes are needed here only.
  const { speculation: wanted, ...rest } = options;
  const { model: draftSource, ...speculation } = speculationOf(wanted);
  options.signal?.throwIfAborted();
  const file = await openFile(source, options.signal);
  try {
    const decided = { ...rest, contextLength: contextFor(file, options.contextLength) };
    const graph = buildGraph(file, decided);
    const placed = await openExecutor(graph, file, decided);
    try {
      const device = { ...decided, device: placed.chosen };
      const draftModel = await loadDraftModel(draftSource, { file, graph }, device);
      return new LoadedModel(file, graph, placed, decided, speculation, draftModel);
    } catch (error) {
      await placed.dispose();
      throw error;
    }
  } catch (error) {
    await closeFile(file);
    throw error;
  }
}

class LoadedModel implements Model {
  readonly file: ModelFile;
  readonly architecture: string;
  readonly #graph: Graph;
  readonly #options: ExecutorOptions;
  readonly #host: SessionHost;
  readonly #sessions = new Set<Session>();
  readonly #speculation: Speculation;
  readonly #draftModel: DraftModel | undefined;
  #placed: Placed;
  #tokenizer: Tokenizer | undefined;
  #disposed = false;

  constructor(
    file: ModelFile,
    graph: Graph,
    placed: Placed,
    options: ExecutorOptions,
    speculation: Speculation,
    draftModel: DraftModel | undefined,
  ) {
    this.file = file;
    this.architecture = graph.architecture;
    this.#graph = graph;
    this.#placed = placed;
    this.#speculation = speculation;
    this.#draftModel = draftModel;
    // What only loading needs is not kept for restore().
    this.#options = { ...options, signal: undefined, device: placed.chosen };
    this.#host = this.#createHost();
  }

  get tokenizer(): Tokenizer {
    this.#tokenizer ??= createTokenizer(this.file.metadata);
    return this.#tokenizer;
  }

  get contextLength(): number {
    return this.#placed.executor.contextLength;
  }

  get device(): Model["device"] {
    return this.#placed.device;
  }

  get memory(): Model["memory"] {
    const { weights, cache, arena } = this.#placed.executor.memory;
    const draft = this.#draftModel?.memory ?? { weights: 0, cache: 0, arena: 0 };
    return {
      weights: weights + draft.weights,
      cache: cache + draft.cache,
      arena: arena + draft.arena,
    };
  }

  session(): Session {
    this.#checkOpen();
    const session = createSession(this.#host);
    this.#sessions.add(session);
    return session;
  }

  async embed(texts: readonly string[], signal?: AbortSignal): Promise<Float32Array[]> {
    this.#checkOpen();
    const holder = {};
    const either = signal ?? new AbortController().signal;
    either.throwIfAborted();
    const { sequences } = this.#host;
    const sequence = await sequences.acquire(holder, either);
    try {
      const vectors: Float32Array[] = [];
      for (const text of texts) {
        const tokens = this.tokenizer.encode(text, { addSpecial: true, parseSpecial: false });
        const host = { executor: this.#placed.executor, graph: this.#graph };
        vectors.push(await embedTokens(host, sequence, tokens, signal));
      }
      return vectors;
    } finally {
      sequences.drop(holder);
    }
  }

  async restore(): Promise<void> {
    this.#checkOpen();
    await this.#placed.dispose();
    this.#placed = await openExecutor(this.#graph, this.file, this.#options);
    this.#host.sequences.replace(this.#placed.executor);
    await this.#draftModel?.restore();
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const session of [...this.#sessions]) await session.dispose();
    await this.#placed.dispose();
    await closeFile(this.file);
    if (!this.#draftModel) return;
    await this.#draftModel.dispose();
    await closeFile(this.#draftModel.file);
  }

  [asyncDispose](): Promise<void> {
    return this.dispose();
  }

  #findTokenizer(): Tokenizer | undefined {
    try {
      return this.tokenizer;
    } catch (error) {
      if (error instanceof WebggufError && error.code === "model/no-tokenizer") return undefined;
      throw error;
    }
  }

  #createHost(): SessionHost {
    const model = this;
    const { vocabulary, outputKind } = this.#graph;
    return {
      vocabulary,
      outputKind,
      speculation: this.#speculation,
      draftModel: this.#draftModel,
      sequences: new Sequences(this.#placed.executor),
      get executor(): Executor {
        return model.#placed.executor;
      },
      get tokenizer(): Tokenizer {
        return model.tokenizer;
      },
      findTokenizer: () => model.#findTokenizer(),
      renderChat: (messages: readonly ChatMessage[], options: GenerateOptions) =>
        renderChat(model.file.metadata, model.tokenizer, messages, options),
      forget: (session: Session) => void model.#sessions.delete(session),
    };
  }

  #checkOpen(): void {
    if (this.#disposed)
      throw new WebggufError("session/disposed", "The model was disposed; load it again");
  }
}

/** The draft model, if there is one, computed where its target is. */
async function loadDraftModel(
  source: ModelSource | undefined,
  target: DraftTarget,
  options: ExecutorOptions,
): Promise<DraftModel | undefined> {
  if (source === undefined) return undefined;
  const file = await openFile(source, options.signal);
  try {
    return await openDraftModel(file, target, options);
  } catch (error) {
    await closeFile(file);
    throw error;
  }
}

/** Positions when nothing is said: the model's own context, but not more than this. */
const DEFAULT_CONTEXT = 4096;

/** The context to load with: 0 = the model's own, none given = that, at most {@link DEFAULT_CONTEXT}. */
export function contextFor(file: ModelFile, wanted: number | undefined): number {
  if (wanted !== undefined && wanted > 0) return wanted;
  const architecture = file.metadata.string("general.architecture");
  const own = file.metadata.integer(`${architecture}.context_length`, DEFAULT_CONTEXT, 1);
  return wanted === 0 ? own : Math.min(own, DEFAULT_CONTEXT);
}

function checkOptions(options: LoadOptions): void {
  const whole = (
    name: "contextLength" | "chunk" | "maxSequences" | "stepsInFlight",
    min: number,
  ) => {
    const value = options[name];
    if (value !== undefined && (!Number.isInteger(value) || value < min))
      throw new WebggufError(
        "input/invalid",
        `${name} is a whole number of at least ${min}, not ${String(value)}`,
        { expected: min, actual: value },
      );
  };
  const unknown = options.noFuse?.find((name) => !fusionNames.includes(name));
  if (unknown !== undefined)
    throw new WebggufError(
      "input/invalid",
      `There is no fusion "${unknown}" to switch off; the fusions are ${fusionNames.join(", ")}`,
      { expected: fusionNames, actual: unknown },
    );
  whole("contextLength", 0);
  whole("chunk", 1);
  whole("maxSequences", 1);
  whole("stepsInFlight", 1);
}
