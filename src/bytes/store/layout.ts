/**
 * Where models stand. Those of a hub by its own rules, which Python and llama.cpp share:
 * `models--USER--REPO/refs/REVISION` holds a commit, `snapshots/COMMIT/PATH` links to `blobs/DIGEST`, or is the file
 * itself where there are no links. Those from other URLs in a folder each below webgguf's own.
 */
import { WebggufError } from "../../base/errors.ts";
import type { Files } from "../../platform/types.ts";
import { isRepo, isSubpath } from "../reference.ts";
import type { HubFile, Listing } from "./hub.ts";

export const repoFolder = (files: Files, repo: string): string =>
  `${files.folders().hub}/models--${repo.replaceAll("/", "--")}`;

export const blobOf = (files: Files, repo: string, oid: string): string =>
  `${repoFolder(files, repo)}/blobs/${oid}`;

export const snapshotOf = (files: Files, repo: string, commit: string, path = ""): string =>
  `${repoFolder(files, repo)}/snapshots/${commit}${path && `/${path}`}`;

const listingOf = (files: Files, commit: string): string =>
  `${files.folders().own}/listings/${commit}.json`;

const isCommit = (text: string): boolean => /^[0-9a-f]{40}$/i.test(text);

/** All files below a folder, with their paths from there, in the order of a listing. */
export async function walk(files: Files, folder: string, below = ""): Promise<string[]> {
  const found: string[] = [];
  for (const name of await files.list(folder))
    if (name.endsWith("/"))
      found.push(...(await walk(files, `${folder}/${name.slice(0, -1)}`, below + name)));
    else found.push(below + name);
  return found;
}

/** The commit that is known here for a revision, or for none; undefined where none is. */
export async function knownCommit(
  files: Files,
  repo: string,
  revision: string | undefined,
): Promise<string | undefined> {
  if (revision !== undefined && isCommit(revision)) return revision.toLowerCase();
  const refs = `${repoFolder(files, repo)}/refs`;
  const read = async (name: string): Promise<string | undefined> => {
    const text = (await files.text(`${refs}/${name}`))?.trim();
    return text !== undefined && isCommit(text) ? text : undefined;
  };
  const own = await read(revision ?? "main");
  if (own !== undefined || revision !== undefined) return own;
  for (const name of await walk(files, refs)) {
    const other = await read(name);
    if (other !== undefined) return other;
  }
  return undefined;
}

/** The files of a commit, where they were listed once. */
export async function knownListing(
  files: Files,
  commit: string,
): Promise<readonly HubFile[] | undefined> {
  try {
    const list: unknown = JSON.parse((await files.text(listingOf(files, commit))) ?? "null");
    if (!Array.isArray(list)) return undefined;
    return list.filter(
      ({ path, oid, size }) =>
        isSubpath(String(path)) && /^[0-9a-f]{40,64}$/.test(String(oid)) && Number.isFinite(size),
    );
  } catch {
    return undefined;
  }
}

/** Keeps what the hub said. */
export async function keepListing(
  files: Files,
  repo: string,
  revision: string | undefined,
  { commit, files: list }: Listing,
): Promise<void> {
  const name = revision ?? "main";
  await files.put(listingOf(files, commit), JSON.stringify(list));
  if (!isCommit(name)) await files.put(`${repoFolder(files, repo)}/refs/${name}`, commit);
}

/** Makes a blob that came known as a file of a commit: a link, or where there are none the file itself. */
export async function placeInSnapshot(
  files: Files,
  repo: string,
  commit: string,
  { path, oid }: Pick<HubFile, "path" | "oid">,
): Promise<void> {
  const place = snapshotOf(files, repo, commit, path);
  if ((await files.size(place)) !== undefined) return;
  const blob = blobOf(files, repo, oid);
  if (!(await files.link(blob, place))) await files.move(blob, place);
}

/** Repositories that something is kept of. */
export async function keptRepos(files: Files): Promise<string[]> {
  return (await files.list(files.folders().hub))
    .map((name) => /^models--(.*)\/$/.exec(name)?.[1].replace("--", "/") ?? "")
    .filter(isRepo);
}

/** The digest by which a file of a snapshot is kept, if it is by its digest. */
export async function digestOf(
  files: Files,
  repo: string,
  commit: string,
  path: string,
): Promise<string | undefined> {
  const real = await files.real(snapshotOf(files, repo, commit, path));
  const blob = /[/\\]blobs[/\\]([0-9a-f]{64})$/.exec(real)?.[1];
  return blob ?? (await knownListing(files, commit))?.find((one) => one.path === path)?.sha256;
}

/** What is kept of a file from a URL besides its bytes. */
export interface UrlFacts {
  /** Without query and credentials. */
  readonly name: string;
  readonly size: number;
  readonly etag: string | null;
  readonly modified: string | null;
  readonly sha256: string;
}

/** The folder of a file from a URL: its name tells nothing of a query that may be secret. */
export function urlFolder(files: Files, url: string): string {
  const digest = files.sha256();
  digest.update(new TextEncoder().encode(url));
  return `${files.folders().own}/models/${digest.hex().slice(0, 32)}`;
}

export const urlFile = (folder: string): string => `${folder}/model.gguf`;

export async function urlFacts(files: Files, folder: string): Promise<UrlFacts | undefined> {
  try {
    const facts: unknown = JSON.parse((await files.text(`${folder}/source.json`)) ?? "null");
    const { name, sha256, size } = Object(facts);
    if (typeof name !== "string" || typeof sha256 !== "string") return undefined;
    return (await files.size(urlFile(folder))) === size ? (facts as UrlFacts) : undefined;
  } catch {
    return undefined;
  }
}

export const keepUrlFacts = (files: Files, folder: string, facts: UrlFacts): Promise<void> =>
  files.put(`${folder}/source.json`, JSON.stringify(facts));

/** Throws unless a digest is the pinned one. */
export function checkPin(name: string, pinned: string | undefined, sha256: string): void {
  if (pinned === undefined || pinned === sha256) return;
  throw new WebggufError(
    "source/corrupt",
    `Cannot use ${name}: its SHA-256 is ${sha256}, and the reference pins ${pinned}; check the reference`,
    { file: name, expected: pinned, actual: sha256 },
  );
}
