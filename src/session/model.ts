/** A loaded model: the file, the executor that computes it, and the sessions on it. */
import { WebggufError } from "../base/errors.ts";
import { checkOptions, listOf, signalRules, textOrIds } from "../base/options.ts";
import { contextOverflow } from "../base/overflow.ts";
import { Follower } from "../base/signals.ts";
import { atOnce, inTurns } from "../base/steps.ts";
import { quoted } from "../base/text.ts";
import type { ChatMessage } from "../chat/messages.ts";
import type { RenderedPrompt, RenderOptions } from "../chat/render.ts";
import type { ModelFile } from "../file/types.ts";
import type { Graph } from "../graph/graph.ts";
import { buildGraph } from "../models/index.ts";
import { encodeSteps, type Tokenizer } from "../tokenizer/tokenizer.ts";
import type { ExecutorOptions } from "./backends.ts";
import { asyncDispose } from "./dispose.ts";
import { type DraftModel, type DraftTarget, openDraftModel } from "./draft-model.ts";
import { embedTokens } from "./embed.ts";
import { findTokenizer, Loaded, type Place } from "./loaded.ts";
import { openExecutor } from "./open.ts";
import { generateRules, loadRules } from "./options.ts";
import { createSession } from "./session.ts";
import { arrived, closeFile, openFile } from "./source.ts";
import { speculationOf } from "./speculation.ts";
import type {
  Embedding,
  GenerateOptions,
  LoadOptions,
  Model,
  ModelSource,
  Session,
  SourceOptions,
} from "./types.ts";
import { unreadTensors } from "./unread.ts";

/**
 * Loads a model from a path, a repository (`hf:USER/REPO:QUANT`), an http(s) URL, a File or Blob, or bytes, or from a
 * list of all its parts. What is downloaded is kept for the next time, and loaded while it comes.
 *
 * ```ts
 * import { loadModel } from "webgguf";
 * await using model = await loadModel("models/webgguf-tale-q8_0.gguf");
 * const messages = [{ role: "user", content: "What is 7 + 5?" }];
 * for await (const piece of model.session().generate(messages)) process.stdout.write(piece.text);
 * ```
 *
 * Errors: `gguf/*` and `source/*` for the file, `model/*` for what is in it, `device/*` for the GPU,
 * `input/invalid` for options. An aborted `options.signal` throws its reason and leaves nothing allocated.
 */
export async function loadModel(source: ModelSource, options: LoadOptions = {}): Promise<Model> {
  checkOptions(options, loadRules);
  // The draft model's bytes are needed here only.
  const { speculation: wanted, ...rest } = options;
  const { model: draftSource, ...speculation } = speculationOf(wanted);
  options.signal?.throwIfAborted();
  const file = await openFile(source, sourceOptions(options));
  try {
    const decided = { ...rest, contextLength: contextFor(file, options.contextLength) };
    const graph = buildGraph(file, decided);
    tellUnread(file, graph, options.onNotice);
    const tokenizer = findTokenizer(file.metadata);
    const opened = await openExecutor(graph, file, decided);
    try {
      // What was computed with is what was meant: a digest is known at the end alone.
      await arrived(file);
      const device = { ...decided, device: opened.chosen };
      const draftModel = await loadDraftModel(draftSource, { file, graph }, device);
      const parts = { file, graph, tokenizer, opened, options: decided, speculation, draftModel };
      return new LoadedModel(new Loaded(parts));
    } catch (error) {
      await opened.dispose();
      throw error;
    }
  } catch (error) {
    await closeFile(file);
    throw error;
  }
}

/** A notice of tensors that nothing reads: llama.cpp refuses such files. */
function tellUnread(file: ModelFile, graph: Graph, onNotice: LoadOptions["onNotice"]): void {
  const unread = onNotice ? unreadTensors(file, graph) : [];
  if (unread.length === 0) return;
  const [what, they] =
    unread.length === 1 ? ["a tensor", "it is"] : [`${unread.length} tensors`, "they are"];
  const first = unread
    .slice(0, 3)
    .map((name) => quoted(name))
    .join(", ");
  onNotice?.(
    `${file.name} has ${what} of which the architecture ${graph.architecture} knows nothing (${first}${unread.length > 3 ? " …" : ""}): ` +
      `${they} not computed with, so that answers may be wrong if the file is of another model`,
  );
}

class LoadedModel implements Model {
  readonly #loaded: Loaded;
  #disposed = false;

  constructor(loaded: Loaded) {
    this.#loaded = loaded;
  }

  get file(): ModelFile {
    return this.#loaded.file;
  }

  get architecture(): string {
    return this.#loaded.graph.architecture;
  }

  get tokenizer(): Tokenizer {
    return this.#loaded.tokenizer;
  }

  get contextLength(): number {
    return this.#loaded.executor.contextLength;
  }

  get device(): Model["device"] {
    return this.#loaded.device;
  }

  get memory(): Model["memory"] {
    const { weights, cache, arena } = this.#loaded.executor.memory;
    const draft = this.#loaded.draftModel?.memory ?? { weights: 0, cache: 0, arena: 0 };
    return {
      weights: weights + draft.weights,
      cache: cache + draft.cache,
      arena: arena + draft.arena,
    };
  }

  session(): Session {
    this.#checkOpen();
    return createSession(this.#loaded);
  }

  render(messages: readonly ChatMessage[], options: RenderOptions = {}): RenderedPrompt {
    checkOptions<GenerateOptions>(options, generateRules);
    const { text, tokens } = atOnce(this.#loaded.render(messages, options, false));
    return { text, tokens };
  }

  async embed(
    texts: readonly (string | readonly number[])[],
    options: { signal?: AbortSignal } = {},
  ): Promise<Embedding[]> {
    checkOptions(options, signalRules);
    listOf(textOrIds)(texts, "texts");
    this.#checkOpen();
    const { signal } = options;
    const holder = {};
    const loaded = this.#loaded;
    const { graph, sequences, tokenizer } = loaded;
    const follower = new Follower(signal, loaded.closing);
    let place: Place | undefined;
    try {
      place = await loaded.acquire(holder, follower.signal);
      const { executor, sequence } = place;
      const embeddings: Embedding[] = [];
      for (const text of texts) {
        const adds = { addSpecial: true, parseSpecial: false };
        const tokens =
          typeof text === "string"
            ? await inTurns(
                encodeSteps(tokenizer, text, adds, executor.contextLength),
                follower.signal,
              )
            : text;
        if (!tokens) throw contextOverflow(executor.contextLength);
        const vector = await embedTokens({ executor, graph }, sequence, tokens, follower.signal);
        embeddings.push({ vector, tokens: tokens.length });
      }
      return embeddings;
    } catch (error) {
      follower.signal.throwIfAborted();
      throw place ? loaded.failure(error, place) : error;
    } finally {
      follower.rest();
      sequences.drop(holder);
    }
  }

  async restore(options: { signal?: AbortSignal } = {}): Promise<void> {
    checkOptions(options, signalRules);
    this.#checkOpen();
    await this.#loaded.restore(options.signal);
  }

  async dispose(): Promise<void> {
    this.#disposed = true;
    await this.#loaded.dispose();
  }

  [asyncDispose](): Promise<void> {
    return this.dispose();
  }

  #checkOpen(): void {
    if (this.#disposed)
      throw new WebggufError(
        "session/disposed",
        "Cannot use the model: it was disposed of; load it again",
      );
  }
}

/** The draft model, if there is one, computed where its target is. */
async function loadDraftModel(
  source: ModelSource | undefined,
  target: DraftTarget,
  options: ExecutorOptions,
): Promise<DraftModel | undefined> {
  if (source === undefined) return undefined;
  const file = await openFile(source, sourceOptions(options));
  try {
    const model = await openDraftModel(file, target, options);
    await arrived(file).catch(async (error) => {
      await model.dispose();
      throw error;
    });
    return model;
  } catch (error) {
    await closeFile(file);
    throw error;
  }
}

/** Those of the options that opening takes. */
function sourceOptions(options: SourceOptions): SourceOptions {
  const { cache, offline, endpoint, token, onProgress, onNotice, signal } = options;
  return { cache, offline, endpoint, token, onProgress, onNotice, signal };
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
