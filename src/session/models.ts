/** The store of models, for programs: what is kept is listed, fetched, checked and removed. */
import { checkOptions, text } from "../base/options.ts";
import { isRemote } from "../bytes/reference.ts";
import type { StoredModel, StoreSpace, Verified } from "../bytes/store/types.ts";
import { modelStore } from "../bytes/store.ts";
import { loadRules } from "./options.ts";
import { gettingRules } from "./source-rules.ts";
import type { FitReport, LoadOptions, SourceOptions } from "./types.ts";

type GetOptions = Omit<SourceOptions, "headerOnly">;

/** See {@link models}. */
export interface Models {
  /**
   * Brings a model, all parts of it, into the store, the newest that its revision names, and resolves when it is whole
   * and its digest right. An aborted call leaves what has come, and the next goes on from there.
   */
  pull(reference: string, options?: GetOptions): Promise<StoredModel>;
  /** All that is kept, whole models and unfinished ones. */
  list(): Promise<StoredModel[]>;
  /** Removes a model, or with `hf:USER/REPO` all of a repository; resolves with the bytes that became free. */
  remove(reference: string): Promise<number>;
  /** Computes the digest of each file and compares it with the known one; a path may be given too (Node, Deno). */
  verify(reference: string, options?: GetOptions): Promise<Verified[]>;
  /**
   * What fits this device, and how fast it may be: a row for each model of a repository, or for the one that is named.
   * Headers alone are read, at most 8 MiB of each. Options as for loading.
   */
  fit(reference: string, options?: LoadOptions): Promise<FitReport[]>;
  /** Bytes that all of it takes, and that there is room for. */
  space(): Promise<StoreSpace>;
}

/**
 * Models by reference: `hf:USER/REPO[:QUANT][@REVISION]`, `hf:USER/REPO/FILE.gguf[@REVISION]` or `https://…`. In Node
 * and Deno those of a hub are kept in its own cache, which Python and llama.cpp share; in browsers in the origin's
 * private file system.
 */
export const models: Models = {
  async pull(reference, options = {}) {
    check(reference, options);
    return (await modelStore()).pull(reference, options);
  },
  async list() {
    return (await modelStore()).list();
  },
  async remove(reference) {
    text(reference, "the reference");
    return (await modelStore()).remove(reference);
  },
  async verify(reference, options = {}) {
    check(reference, options);
    return (await modelStore()).verify(reference, options);
  },
  async fit(reference, options = {}) {
    text(reference, "the reference");
    checkOptions(options, loadRules);
    const candidates = isRemote(reference)
      ? await (await modelStore()).candidates(reference, options)
      : [{ reference }];
    const { fitModels } = await import("./fit.ts");
    return fitModels(candidates, options);
  },
  async space() {
    return (await modelStore()).space();
  },
};

function check(reference: string, options: GetOptions): void {
  text(reference, "the reference");
  checkOptions(options, gettingRules);
}
