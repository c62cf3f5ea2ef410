/** What is kept of an unfinished download beside its bytes: which of them are there, and of which version of the file. */
import type { Files } from "../../platform/types.ts";
import type { Version } from "../http-resource.ts";
import { Spans } from "./spans.ts";

/** What tells one version of a file from others. */
export interface Identity extends Version {
  readonly size: number;
  readonly sha256?: string;
}

/** Bytes that come, and milliseconds that pass, before it is written again. */
export const JOURNAL_BYTES: number = 4 << 20;
export const JOURNAL_PAUSE: number = 500;

/** The unfinished bytes of what will stand at a path, and what is known of them. */
export const partOf = (path: string): string => `${path}.webgguf`;
export const journalOf = (path: string): string => `${path}.webgguf.json`;
export const lockOf = (path: string): string => `${path}.webgguf.lock`;

const sameVersion = (a: Identity, b: Identity): boolean =>
  a.size === b.size &&
  a.sha256 === b.sha256 &&
  (a.sha256 !== undefined ||
    (a.etag && b.etag ? a.etag === b.etag : (a.modified ?? null) === (b.modified ?? null)));

/** The ranges that are there of this very version; none where nothing is, or where it cannot be told. */
export async function readJournal(files: Files, path: string, identity: Identity): Promise<Spans> {
  const kept = await journalText(files, path);
  const { etag = null, modified = null, size, sha256, spans } = kept ?? {};
  if (kept === undefined || !sameVersion({ etag, modified, size, sha256 } as Identity, identity))
    return new Spans();
  // Without any mark nobody knows whether it is the same file.
  if (!identity.sha256 && !identity.etag && !identity.modified) return new Spans();
  const there = (await files.size(partOf(path))) ?? 0;
  const list = Array.isArray(spans) ? spans : [];
  const whole = list.every(
    (one) =>
      Array.isArray(one) &&
      one.every(Number.isSafeInteger) &&
      0 <= one[0] &&
      one[0] < one[1] &&
      one[1] <= there,
  );
  return new Spans(whole ? list : []);
}

/** Bytes that are there of an unfinished download, and the whole of it. */
export async function unfinished(
  files: Files,
  path: string,
): Promise<{ readonly name: string; readonly loaded: number; readonly size: number } | undefined> {
  const kept = await journalText(files, path);
  if (!kept || !Array.isArray(kept["spans"])) return undefined;
  const { name, size, spans } = kept;
  return { name: String(name), loaded: new Spans(spans as []).bytes, size: Number(size) };
}

async function journalText(
  files: Files,
  path: string,
): Promise<Record<string, unknown> | undefined> {
  try {
    const kept: unknown = JSON.parse((await files.text(journalOf(path))) ?? "null");
    return typeof kept === "object" && kept !== null
      ? (kept as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

export const writeJournal = (
  files: Files,
  path: string,
  name: string,
  identity: Identity,
  spans: Spans,
): Promise<void> =>
  files.put(journalOf(path), JSON.stringify({ name, ...identity, spans: spans.all }));

/** Leaves nothing of an unfinished download, journals that were being written included. */
export async function removePart(files: Files, path: string): Promise<void> {
  const folder = path.slice(0, path.lastIndexOf("/"));
  const part = partOf(path).slice(folder.length + 1);
  const lock = lockOf(path).slice(folder.length + 1);
  const names = (await files.list(folder)).filter(
    (name) => name.startsWith(part) && !name.startsWith(lock),
  );
  // The journal goes first: it must not tell of bytes that are gone.
  for (const name of names.sort().reverse()) await files.remove(`${folder}/${name}`);
}

/** Clears away what a process left beside a file that died when the file stood at its place already. */
export async function tidy(files: Files, path: string): Promise<void> {
  const left = [partOf(path), journalOf(path), lockOf(path)].map((name) => files.size(name));
  if ((await Promise.all(left)).every((size) => size === undefined)) return;
  const lock = await files.lock(lockOf(path));
  if (!lock) return;
  await removePart(files, path);
  await lock.release();
}
