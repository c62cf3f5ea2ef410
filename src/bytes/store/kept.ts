/** What the store holds: listed, removed, and compared with its digests. */
import { WebggufError } from "../../base/errors.ts";
import { nearest } from "../../base/nearest.ts";
import type { Files } from "../../platform/types.ts";
import { type HubReference, referenceText, type UrlReference } from "../reference.ts";
import { chooseFile, isModelFile, modelsIn, partsOf } from "./choose.ts";
import { lockOf, partOf, removePart, unfinished } from "./journal.ts";
import { keptRepos, repoFolder, snapshotOf, urlFacts, urlFile, urlFolder, walk } from "./layout.ts";
import type { Means } from "./obtain.ts";
import { Meter } from "./progress.ts";
import type { StoredModel, StoreOptions, Verified } from "./types.ts";

/** Names of unfinished downloads end so. */
const PART = partOf("");

async function sizeOf(files: Files, paths: readonly string[]): Promise<number> {
  let sum = 0;
  for (const path of paths) sum += (await files.size(path)) ?? 0;
  return sum;
}

/** Models of a repository, and what there is of unfinished ones. */
async function keptOfRepo(files: Files, repo: string): Promise<StoredModel[]> {
  const found: StoredModel[] = [];
  const folder = repoFolder(files, repo);
  for (const entry of await files.list(`${folder}/snapshots`)) {
    const commit = entry.replace(/\/$/, "");
    const paths = await walk(files, `${folder}/snapshots/${commit}`);
    for (const file of modelsIn(paths)) {
      const parts = partsOf(paths, file).map((path) => snapshotOf(files, repo, commit, path));
      const bytes = await sizeOf(files, parts);
      const reference = referenceText({ repo, file });
      found.push({ reference, path: parts[0], bytes, loaded: bytes, commit });
    }
  }
  for (const name of await files.list(`${folder}/blobs`)) {
    if (!name.endsWith(PART)) continue;
    const path = `${folder}/blobs/${name.slice(0, -PART.length)}`;
    const part = await unfinished(files, path);
    if (part) found.push({ reference: part.name, path, bytes: part.size, loaded: part.loaded });
  }
  return found;
}

/** All that is kept, whole and unfinished. */
export async function keptModels(files: Files): Promise<StoredModel[]> {
  const found: StoredModel[] = [];
  for (const repo of await keptRepos(files)) found.push(...(await keptOfRepo(files, repo)));
  const own = `${files.folders().own}/models`;
  for (const name of await files.list(own)) {
    const folder = `${own}/${name.replace(/\/$/, "")}`;
    const path = urlFile(folder);
    const facts = await urlFacts(files, folder);
    const part = facts ? undefined : await unfinished(files, path);
    if (facts) found.push({ reference: facts.name, path, bytes: facts.size, loaded: facts.size });
    else if (part)
      found.push({ reference: part.name, path, bytes: part.size, loaded: part.loaded });
  }
  return found;
}

function missing(reference: string, known: readonly string[]): WebggufError {
  const near = nearest(reference, known, 3);
  return new WebggufError(
    "source/not-found",
    `Cannot find ${reference} in the store${near.length > 0 ? `; there is ${near.join(", ")}` : "; list what is there first"}`,
    { file: reference },
  );
}

/** Refuses where somebody downloads it at the moment. */
async function unlessBusy(files: Files, path: string, act: () => Promise<void>): Promise<void> {
  const lock = await files.lock(lockOf(path));
  if (!lock)
    throw new WebggufError(
      "source/io",
      `Cannot remove ${path}: it is being downloaded; stop that first`,
      { file: path },
    );
  try {
    await act();
  } finally {
    await lock.release();
  }
}

/** Removes what a reference means: a whole repository, or the model in it; bytes that became free. */
export async function removeKept(
  files: Files,
  reference: string,
  parsed: HubReference | UrlReference,
): Promise<number> {
  if (parsed.kind === "url") {
    // As it was given, or as it stands in the list, where what is secret is left out.
    const own = `${files.folders().own}/models`;
    const folders = [urlFolder(files, parsed.url)];
    for (const name of await files.list(own)) {
      const folder = `${own}/${name.replace(/\/$/, "")}`;
      const known = (await urlFacts(files, folder)) ?? (await unfinished(files, urlFile(folder)));
      if (known?.name === parsed.url) folders.push(folder);
    }
    let freed = 0;
    for (const folder of new Set(folders)) {
      const path = urlFile(folder);
      const all = await walk(files, folder);
      if (all.length === 0) continue;
      const bytes = await sizeOf(files, [path, partOf(path)]);
      await unlessBusy(files, path, () => removePart(files, path));
      await files.remove(folder);
      freed += bytes;
    }
    if (freed > 0) return freed;
    throw missing(
      reference,
      (await keptModels(files)).map((one) => one.reference),
    );
  }
  const { repo, file, quant, revision } = parsed;
  const folder = repoFolder(files, repo);
  const blobs = `${folder}/blobs`;
  const links = (await walk(files, `${folder}/snapshots`)).map((path) => {
    const [commit, ...rest] = path.split("/");
    return { commit, path: rest.join("/") };
  });
  const parts = (await files.list(blobs)).filter((name) => name.endsWith(PART));
  if (links.length === 0 && parts.length === 0)
    throw missing(
      reference,
      (await keptRepos(files)).map((one) => `hf:${one}`),
    );
  const everything = file === undefined && quant === undefined && revision === undefined;
  const bytesBefore = await bytesOf(files, folder);
  if (everything) {
    for (const name of parts) {
      const path = `${blobs}/${name.slice(0, -PART.length)}`;
      await unlessBusy(files, path, () => removePart(files, path));
    }
    await files.remove(folder);
    return bytesBefore;
  }
  const models = links.filter(({ path }) => isModelFile(path)).map(({ path }) => path);
  const chosen =
    file === undefined
      ? chooseFile(models, quant)
      : models.find((path) => path.toLowerCase() === file.toLowerCase());
  if (chosen === undefined) {
    const path = await unfinishedOf(files, blobs, parts, reference);
    if (path === undefined)
      throw missing(
        reference,
        models.map((one) => referenceText({ repo, file: one })),
      );
    await unlessBusy(files, path, () => removePart(files, path));
    return bytesBefore - (await bytesOf(files, folder));
  }
  const gone = new Set(partsOf(models, chosen));
  const kept = new Set<string>();
  const removed = new Set<string>();
  for (const link of links) {
    const place = snapshotOf(files, repo, link.commit, link.path);
    const real = await files.real(place);
    const meant = revision === undefined || revision === link.commit || revision === "main";
    if (!gone.has(link.path) || !meant) kept.add(real);
    else {
      removed.add(real);
      await files.remove(place);
    }
  }
  for (const real of removed) if (!kept.has(real)) await files.remove(real);
  return bytesBefore - (await bytesOf(files, folder));
}

/** Bytes below a folder of a repository, each blob once. */
async function bytesOf(files: Files, folder: string): Promise<number> {
  const real = new Set<string>();
  for (const path of await walk(files, folder))
    if (!path.startsWith("refs/")) real.add(await files.real(`${folder}/${path}`).catch(() => ""));
  return sizeOf(files, [...real].filter(Boolean));
}

async function unfinishedOf(
  files: Files,
  blobs: string,
  parts: readonly string[],
  reference: string,
): Promise<string | undefined> {
  for (const name of parts) {
    const path = `${blobs}/${name.slice(0, -PART.length)}`;
    if ((await unfinished(files, path))?.name === reference) return path;
  }
  return undefined;
}

/** Computes a file's digest and compares it with the known one. */
export async function verifyKept(
  means: Means,
  { path, name, expected }: { path: string; name: string; expected?: string },
  { signal, onProgress }: StoreOptions,
): Promise<Verified> {
  const { files } = means;
  if (!files) throw new WebggufError("source/io", `Cannot read ${path}: files cannot be read here`);
  const source = await means.openFile(path);
  const digest = files.sha256();
  const meter = new Meter();
  let loaded = 0;
  try {
    for await (const piece of source.stream(0, source.size, signal)) {
      digest.update(piece);
      loaded += piece.length;
      const progress = meter.measure(loaded, source.size, path);
      if (progress) onProgress?.(progress);
    }
  } finally {
    await source.close();
  }
  const sha256 = digest.hex();
  // A file in the hub's cache is called by its digest.
  const blob = /[/\\]blobs[/\\]([0-9a-f]{64})$/.exec(await files.real(path).catch(() => path))?.[1];
  const wanted = expected ?? blob;
  return {
    file: name,
    bytes: source.size,
    sha256,
    ...(wanted !== undefined && { expected: wanted }),
    ok: wanted === undefined || wanted === sha256,
  };
}
