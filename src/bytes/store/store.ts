/** The store of models: references in, files out. One of its kind in Node and Deno, and one in a browser's worker. */
import { WebggufError } from "../../base/errors.ts";
import { nearest } from "../../base/nearest.ts";
import { quoted } from "../../base/text.ts";
import { HttpResource, type Version } from "../http-resource.ts";
import {
  type HubReference,
  parseReference,
  referenceText,
  type UrlReference,
} from "../reference.ts";
import { chooseFile, modelsIn, partCount, partsOf, quantsIn } from "./choose.ts";
import type { Download } from "./download.ts";
import {
  authorization,
  commitOf,
  denied,
  filesOf,
  type Hub,
  type HubFile,
  resolveUrl,
} from "./hub.ts";
import { tidy } from "./journal.ts";
import { keptModels, removeKept, verifyKept } from "./kept.ts";
import {
  blobOf,
  checkPin,
  digestOf,
  keepListing,
  keepUrlFacts,
  knownCommit,
  knownListing,
  placeInSnapshot,
  snapshotOf,
  urlFacts,
  urlFile,
  urlFolder,
  walk,
} from "./layout.ts";
import { atItsPlace, type Means, obtain, type Target } from "./obtain.ts";
import type {
  Candidate,
  ModelStore,
  StoredModel,
  StoredSource,
  StoreOptions,
  StoreSpace,
  Verified,
} from "./types.ts";

/** A file that was found, or is to be fetched. */
type Located =
  | { readonly present: string; readonly name: string; readonly commit?: string }
  | {
      readonly target: Omit<Target, "beside">;
      /** Where it is found when it is whole. */
      readonly place: string;
      readonly commit?: string;
    };

const withoutSlash = (url: string): string => url.replace(/\/+$/, "");

export class Store implements ModelStore {
  readonly #means: Means;
  /** Downloads come one after the other, in the order in which they were asked for. */
  #turn: Promise<unknown> = Promise.resolve();
  readonly #listings = new Map<string, Promise<readonly HubFile[]>>();

  constructor(means: Means) {
    this.#means = means;
  }

  async open(reference: string, options: StoreOptions): Promise<StoredSource> {
    return (await this.#open(reference, options, false)).source;
  }

  async pull(reference: string, options: StoreOptions): Promise<StoredModel> {
    if (!this.#means.files)
      throw new WebggufError(
        "source/io",
        `Cannot keep ${reference}: this runtime may not write files; allow it (Deno: --allow-read --allow-write --allow-env)`,
        { file: reference },
      );
    let result: StoredModel | undefined;
    let next: StoredSource["beside"] | undefined;
    const [first, ...others] = await this.#names(reference, options);
    for (const name of [first, ...others]) {
      const one = await this.#pullOne(next ? () => next!(name) : undefined, reference, options);
      next ??= one.source.beside;
      result = {
        reference: result?.reference ?? one.source.name,
        path: result?.path ?? one.path,
        bytes: (result?.bytes ?? 0) + one.source.size,
        loaded: (result?.loaded ?? 0) + one.source.size,
        ...(one.commit !== undefined && { commit: one.commit }),
      };
    }
    return result as StoredModel;
  }

  async list(): Promise<StoredModel[]> {
    return this.#means.files ? keptModels(this.#means.files) : [];
  }

  async remove(reference: string): Promise<number> {
    const { files } = this.#means;
    const parsed = parseReference(reference);
    if (!files || parsed.kind === "path") {
      throw new WebggufError(
        "source/not-found",
        `Cannot remove ${reference}: the store has models from hf: and https: alone`,
        { file: reference },
      );
    }
    return removeKept(files, reference, parsed);
  }

  async verify(reference: string, options: StoreOptions): Promise<Verified[]> {
    const { files } = this.#means;
    const parsed = parseReference(reference);
    if (!files)
      throw new WebggufError("source/io", `Cannot verify ${reference}: files cannot be read here`);
    const paths: { path: string; name: string; expected?: string }[] = [];
    if (parsed.kind === "path") paths.push({ path: parsed.path, name: parsed.path });
    else {
      const names = await this.#names(reference, { ...options, offline: true });
      for (const name of names) {
        const one =
          parsed.kind === "hub" ? this.#part(parsed, name) : { ...parsed, kind: "url" as const };
        const located = await this.#locate(one, { ...options, offline: true }, false);
        if (!("present" in located)) continue;
        const { present, commit } = located;
        const known =
          one.kind === "hub"
            ? await digestOf(files, one.repo, commit as string, one.file as string)
            : (await urlFacts(files, urlFolder(files, one.url)))?.sha256;
        paths.push({ path: present, name: located.name, expected: parsed.sha256 ?? known });
      }
    }
    const results: Verified[] = [];
    for (const one of paths) results.push(await verifyKept(this.#means, one, options));
    return results;
  }

  async candidates(reference: string, options: StoreOptions): Promise<Candidate[]> {
    const parsed = parseReference(reference);
    if (parsed.kind !== "hub") return [{ reference }];
    const { commit, list } = await this.#listing(parsed, options, false);
    const paths = list.map(({ path }) => path);
    const all =
      parsed.file === undefined && parsed.quant === undefined
        ? modelsIn(paths)
        : [this.#chosen(parsed, paths)];
    return all.map((file) => {
      const parts = partsOf(paths, file);
      const sizes = parts.map((part) => list.find(({ path }) => path === part)?.size ?? 0);
      const { repo } = parsed;
      return {
        reference: referenceText({ repo, file, revision: commit }),
        bytes: sizes.reduce((sum, size) => sum + size, 0),
      };
    });
  }

  async space(): Promise<StoreSpace> {
    const { files } = this.#means;
    const used = (await this.list()).reduce((sum, { loaded }) => sum + loaded, 0);
    return { used, ...(files && (await files.space(files.folders().hub))) };
  }

  async #open(
    reference: string,
    options: StoreOptions,
    fresh: boolean,
  ): Promise<{ source: StoredSource; path: string; commit?: string; download?: Download }> {
    const parsed = parseReference(reference);
    if (parsed.kind === "path")
      throw new WebggufError("input/invalid", `Cannot open ${reference}: it is no reference`);
    const located = await this.#locate(parsed, options, fresh);
    const { commit } = located;
    const beside = async (name: string): Promise<StoredSource> => {
      const other = parsed.kind === "hub" ? parseReference(name) : undefined;
      // Of the same commit, whatever the branch is by now.
      return this.open(
        other?.kind === "hub" ? referenceText({ ...other, revision: commit }) : name,
        options,
      );
    };
    if ("present" in located) {
      const { name, present } = located;
      const source = await atItsPlace(this.#means, { name, beside }, present, options);
      return { source, path: present, commit };
    }
    const target = { ...located.target, beside };
    const turn = this.#turn;
    const { source, download } = await obtain(this.#means, target, options, turn).catch((error) => {
      const status = error instanceof WebggufError && error.actual;
      if (parsed.kind === "hub" && (status === 401 || status === 403))
        throw denied(this.#hub(options), parsed.repo, status, "gated");
      throw error;
    });
    if (download) this.#turn = Promise.allSettled([turn, download.done]);
    return { source, path: located.place, commit, download };
  }

  /** One file, to its end; what changed meanwhile is fetched once more. */
  async #pullOne(
    next: (() => Promise<StoredSource>) | undefined,
    reference: string,
    options: StoreOptions,
  ): Promise<{ source: StoredSource; path: string; commit?: string }> {
    for (let again = true; ; again = false) {
      const opened: { source: StoredSource; path?: string; commit?: string } = next
        ? { source: await next() }
        : await this.#open(reference, options, options.offline !== true);
      const { source } = opened;
      try {
        if (!(await source.whole()))
          throw new WebggufError(
            "source/io",
            `Cannot keep ${source.name}: there is no room for its ${source.size} bytes; free some and try again`,
            { file: source.name },
          );
        const { source: _, ...facts } = opened;
        return { path: "", ...facts, source };
      } catch (error) {
        const code = error instanceof WebggufError ? error.code : "";
        if (!again || (code !== "source/changed" && code !== "source/corrupt")) throw error;
        options.onNotice?.(`Fetching ${source.name} anew: ${(error as Error).message}`);
      } finally {
        await source.close();
      }
    }
  }

  /** Names of all parts, where the reference is of a hub. */
  async #names(reference: string, options: StoreOptions): Promise<string[]> {
    const parsed = parseReference(reference);
    if (parsed.kind !== "hub") return [reference];
    const { list } = await this.#listing(parsed, options, options.offline !== true);
    const paths = list.map(({ path }) => path);
    const { repo } = parsed;
    return partsOf(paths, this.#chosen(parsed, paths)).map((file) => referenceText({ repo, file }));
  }

  #part(parsed: HubReference, name: string): HubReference {
    const { file } = parseReference(name) as HubReference;
    const { repo, revision } = parsed;
    return { kind: "hub", repo, file, ...(revision !== undefined && { revision }) };
  }

  #hub({ endpoint, token }: StoreOptions): Hub {
    const { files, fetch, follows } = this.#means;
    const env = (name: string): string | undefined => files?.env(name);
    const url = endpoint ?? env("MODEL_ENDPOINT") ?? env("HF_ENDPOINT") ?? "https://huggingface.co";
    if (!/^https?:$/.test(URL.canParse(url) ? new URL(url).protocol : ""))
      throw new WebggufError("input/invalid", `Cannot use the hub ${quoted(url)}: it is no URL`);
    return { fetch, follows, endpoint: withoutSlash(url), token: token ?? env("HF_TOKEN") };
  }

  #locate(
    parsed: HubReference | UrlReference,
    options: StoreOptions,
    fresh: boolean,
  ): Promise<Located> {
    return parsed.kind === "hub"
      ? this.#locateHub(parsed, options, fresh)
      : this.#locateUrl(parsed, options);
  }

  /** The files of a repository: of the commit that is known here if they are, else as the hub tells. */
  async #listing(
    parsed: HubReference,
    options: StoreOptions,
    fresh: boolean,
  ): Promise<{ commit: string; list: readonly HubFile[] }> {
    const { files } = this.#means;
    const { repo, revision } = parsed;
    if (files && !fresh) {
      const commit = await knownCommit(files, repo, revision);
      const list = commit && (await knownListing(files, commit));
      if (commit && list) return { commit, list };
      if (commit && options.offline) {
        const there = await walk(files, snapshotOf(files, repo, commit));
        return { commit, list: there.map((path) => ({ path, size: 0, oid: "" })) };
      }
    }
    if (options.offline) throw this.#absent(referenceText(parsed));
    const hub = this.#hub(options);
    const commit = await commitOf(hub, repo, revision, options);
    const key = `${hub.endpoint}/${repo}@${commit}`;
    const asked = this.#listings.get(key) ?? filesOf(hub, repo, commit, options);
    this.#listings.set(key, asked);
    const list = await asked.catch((error) => {
      this.#listings.delete(key);
      throw error;
    });
    if (files && options.cache !== false)
      await keepListing(files, repo, revision, { commit, files: list }).catch(() => {});
    return { commit, list };
  }

  #absent(name: string): WebggufError {
    return new WebggufError(
      "source/not-found",
      `Cannot open ${name}: it is not in the store, and offline nothing is fetched; pull it while there is a connection`,
      { file: name },
    );
  }

  /** The file that a reference means among a repository's; an error says what there is. */
  #chosen({ repo, file, quant }: HubReference, paths: readonly string[]): string {
    const found =
      file === undefined
        ? chooseFile(paths, quant)
        : paths.find((path) => path.toLowerCase() === file.toLowerCase());
    if (found !== undefined) {
      const parts = partsOf(paths, found);
      if (parts.length >= partCount(found)) return found;
      throw new WebggufError(
        "source/not-found",
        `Cannot open hf:${repo}/${found}: it has ${partCount(found)} parts, and the repository ${parts.length} of them`,
        { file: `hf:${repo}/${found}` },
      );
    }
    const models = modelsIn(paths);
    const [what, there] =
      file !== undefined
        ? [`no file ${quoted(file)}`, nearest(file, models, 5)]
        : quant !== undefined
          ? [`no file of ${quoted(quant)}`, quantsIn(paths)]
          : ["no GGUF file of a model", []];
    const known = there.length > 0 ? there : models.slice(0, 10);
    throw new WebggufError(
      "source/not-found",
      `Cannot open hf:${repo}: it has ${what}; ${known.length > 0 ? `there is ${known.join(", ")}` : "look for one with GGUF in its name"}`,
      { file: `hf:${repo}`, expected: known },
    );
  }

  async #locateHub(parsed: HubReference, options: StoreOptions, fresh: boolean): Promise<Located> {
    const { repo, revision } = parsed;
    const { files } = this.#means;
    if (files && !fresh) {
      const here = await this.#keptHub(parsed);
      if (here) return here;
    }
    const { commit, list } = await this.#listing(parsed, options, fresh || !options.offline);
    const path = this.#chosen(
      parsed,
      list.map((one) => one.path),
    );
    const name = `hf:${repo}/${path}`;
    const file = list.find((one) => one.path === path) as HubFile;
    if (file.sha256 !== undefined) checkPin(name, parsed.sha256, file.sha256);
    const hub = this.#hub(options);
    const place = files && snapshotOf(files, repo, commit, path);
    const found = async (): Promise<string | undefined> => {
      if (!files || place === undefined) return undefined;
      const blob = blobOf(files, repo, file.oid);
      const there = (await files.size(place)) !== undefined;
      if (!there && (await files.size(blob)) !== file.size) return undefined;
      // Fetched for another commit, or by a process that died before it was linked.
      if (!there) await placeInSnapshot(files, repo, commit, file);
      await tidy(files, blob);
      return place;
    };
    const present = await found().catch(() => undefined);
    if (present !== undefined) return { present, name, commit };
    if (options.offline) throw this.#absent(name);
    return {
      commit,
      place: place ?? "",
      target: {
        name,
        url: resolveUrl(hub, repo, commit, path),
        path: files ? blobOf(files, repo, file.oid) : "",
        size: file.size,
        sha256: file.sha256 ?? parsed.sha256,
        authorization: authorization(hub),
        async placed() {
          if (!files) return;
          await keepListing(files, repo, revision, { commit, files: list });
          await placeInSnapshot(files, repo, commit, file);
        },
        found,
      },
    };
  }

  /** What is there of a repository, found without a request. */
  async #keptHub(parsed: HubReference): Promise<Located | undefined> {
    const files = this.#means.files;
    if (!files) return undefined;
    const { repo, revision, sha256, file: wanted, quant } = parsed;
    const commit = await knownCommit(files, repo, revision);
    if (commit === undefined) return undefined;
    const there = await walk(files, snapshotOf(files, repo, commit));
    const listed = (await knownListing(files, commit))?.map(({ path }) => path) ?? there;
    const path =
      wanted === undefined
        ? chooseFile(listed, quant)
        : listed.find((one) => one.toLowerCase() === wanted.toLowerCase());
    if (path === undefined || !there.includes(path)) return undefined;
    const present = snapshotOf(files, repo, commit, path);
    if ((await files.size(present)) === undefined) return undefined;
    const name = `hf:${repo}/${path}`;
    if (sha256 !== undefined) {
      const known = await digestOf(files, repo, commit, path);
      if (known === undefined) return undefined;
      checkPin(name, sha256, known);
    }
    return { present, name, commit };
  }

  async #locateUrl({ url, sha256 }: UrlReference, options: StoreOptions): Promise<Located> {
    const { files, fetch } = this.#means;
    const { onNotice, offline } = options;
    const { name } = new HttpResource(url, { fetch });
    const folder = files ? urlFolder(files, url) : "";
    const facts = files && (await urlFacts(files, folder));
    const path = urlFile(folder);
    if (facts && files) {
      await tidy(files, path);
      if (sha256 !== undefined) checkPin(name, sha256, facts.sha256);
      if (offline || sha256 !== undefined || (await this.#unchanged(url, facts, options)))
        return { present: path, name };
      onNotice?.(`${name} has changed: fetching it anew`);
      await files.remove(folder);
    } else if (offline) throw this.#absent(name);
    return {
      place: path,
      target: {
        name,
        url,
        path,
        sha256,
        async placed(what: Version & { size: number; sha256: string }) {
          if (files) await keepUrlFacts(files, folder, { name, ...what });
        },
        found: async () => (files && (await urlFacts(files, folder)) ? path : undefined),
      },
    };
  }

  /** Whether a server still has the version that is kept, or does not answer. */
  async #unchanged(
    url: string,
    facts: Version & { size: number },
    options: StoreOptions,
  ): Promise<boolean> {
    const { fetch, follows } = this.#means;
    const resource = new HttpResource(url, { fetch, follows, retries: 0, silence: 5000 });
    try {
      const body = await resource.open(options.signal);
      await body?.body?.cancel();
      const { etag, modified } = resource.version;
      if (resource.size !== facts.size) return false;
      return etag && facts.etag ? etag === facts.etag : modified === facts.modified;
    } catch (error) {
      options.signal?.throwIfAborted();
      if (!(error instanceof WebggufError)) throw error;
      options.onNotice?.(`Using what was kept of ${resource.name}: ${error.message}`);
      return true;
    }
  }
}
