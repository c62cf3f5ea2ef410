/** Drafts by a smaller model with the same vocabulary, on sequences of its own. */
import { commonPrefix } from "../base/common-prefix.ts";
import { WebggufError } from "../base/errors.ts";
import { quoted } from "../base/text.ts";
import type { ModelFile } from "../file/types.ts";
import { type Executor, shorten } from "../graph/executor.ts";
import type { Graph } from "../graph/graph.ts";
import { type DeviceSampling, GREEDY, type SequenceId } from "../graph/requests.ts";
import { buildGraph } from "../models/index.ts";
import type { ExecutorOptions } from "./backends.ts";
import { type Opened, openExecutor } from "./open.ts";
import type { Drafter } from "./speculate.ts";

/** Paddings of one vocabulary differ by less than this between the sizes of a family, as llama.cpp allows. */
const PADDING = 128;

/** The model that is drafted for. */
export interface DraftTarget {
  readonly file: ModelFile;
  readonly graph: Graph;
}

/** A loaded draft model; as many sequences as its target, numbered alike. */
export class DraftModel {
  readonly file: ModelFile;
  readonly #graph: Graph;
  readonly #options: ExecutorOptions;
  /** Ids that both vocabularies have. */
  readonly #shared: number;
  #opened: Opened;
  /** The tokens in the cache of each sequence. */
  #cached: number[][] = [];

  constructor(
    file: ModelFile,
    graph: Graph,
    opened: Opened,
    options: ExecutorOptions,
    ids: number,
  ) {
    this.file = file;
    this.#graph = graph;
    this.#opened = opened;
    this.#options = { ...options, signal: undefined, device: opened.chosen };
    this.#shared = ids;
  }

  get memory(): Executor["memory"] {
    return this.#opened.executor.memory;
  }

  /**
   * Drafts for one sequence of the target. The tokens are sampled as the target's will be, with the
   * same random number for a position: where the two models agree on the chances, they mostly agree
   * on the token.
   */
  drafter(sequence: SequenceId): Drafter {
    return {
      draft: (tokens, max, signal, sampling = GREEDY) =>
        this.#draft(sequence, tokens, max, signal, sampling),
    };
  }

  /** After a lost device: loads the weights again. */
  async restore(signal?: AbortSignal): Promise<void> {
    await this.#opened.dispose();
    this.#opened = await openExecutor(this.#graph, this.file, { ...this.#options, signal });
    this.#cached = [];
  }

  dispose(): Promise<void> {
    return this.#opened.dispose();
  }

  async #draft(
    sequence: SequenceId,
    tokens: readonly number[],
    max: number,
    signal: AbortSignal,
    sample: DeviceSampling,
  ): Promise<readonly number[]> {
    const { executor } = this.#opened;
    const cached = this.#cached[sequence] ?? [];
    const common = Math.min(commonPrefix(cached, tokens), tokens.length - 1);
    const feed = tokens.slice(shorten(executor, sequence, common));
    // Given rows are of the target's width and no use here.
    if (feed.some((token) => token < 0 || token >= this.#shared)) return [];
    // What a failure leaves behind is not known.
    this.#cached[sequence] = [];
    const steps = Array.from({ length: max }, (_, i) =>
      executor.step(
        [{ sequence, input: i === 0 ? feed : "sampled", outputs: "last", sample }],
        signal,
      ),
    );
    await Promise.allSettled(steps);
    const sampled = (await Promise.all(steps)).map(([result]) => result.tokens[0]);
    cached.length = tokens.length - feed.length;
    cached.push(...feed, ...sampled.slice(0, -1));
    this.#cached[sequence] = cached;
    const foreign = sampled.findIndex((token) => token >= this.#shared);
    return foreign < 0 ? sampled : sampled.slice(0, foreign);
  }
}

/**
 * Loads a draft model beside its target. Errors: those of loading, and `input/invalid` for a model
 * that gives no next token or has another vocabulary.
 */
export async function openDraftModel(
  file: ModelFile,
  target: DraftTarget,
  options: ExecutorOptions,
): Promise<DraftModel> {
  const graph = buildGraph(file, options);
  if (graph.outputKind === "embeddings")
    throw new WebggufError(
      "input/invalid",
      `${file.name} is an embedding model and cannot draft tokens; use another draft model`,
    );
  const ids = sharedIds({ file, graph }, target);
  return new DraftModel(file, graph, await openExecutor(graph, file, options), options, ids);
}

/** How many ids mean the same token in both models, from 0 on; refuses models of which that is not nearly all. */
function sharedIds(draft: DraftTarget, target: DraftTarget): number {
  const sizes = [draft.graph.vocabulary, target.graph.vocabulary];
  if (Math.abs(sizes[0] - sizes[1]) > PADDING)
    throw new WebggufError(
      "input/invalid",
      `${draft.file.name} has ${sizes[0]} tokens and ${target.file.name} ${sizes[1]}; a draft model has the vocabulary of its target`,
      { expected: sizes[1], actual: sizes[0] },
    );
  const shared = Math.min(...sizes);
  const [ours, theirs] = [draft, target].map(({ file }) =>
    file.metadata.strings("tokenizer.ggml.tokens", []),
  );
  // Files without a tokenizer say nothing to compare.
  if (ours.length === 0 || theirs.length === 0) return shared;
  for (let id = 0; id < shared; id++)
    if (ours[id] !== theirs[id])
      throw new WebggufError(
        "input/invalid",
        `${draft.file.name} cannot draft for ${target.file.name}: token ${id} is ${quoted(ours[id])} in one and ${quoted(theirs[id])} in the other; a draft model has the vocabulary of its target`,
        { expected: theirs[id], actual: ours[id] },
      );
  return shared;
}
