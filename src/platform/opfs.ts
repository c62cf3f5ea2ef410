/** Where browsers keep models: the origin's private file system, written by a dedicated worker. */
import { sha256 } from "@noble/hashes/sha2.js";
import { folderAt, handleOf, placeOf, storedFile, unlessMissing } from "./stored-file.ts";
import type { Files } from "./types.ts";

const ROOT = "webgguf";
const PIECE = 1 << 20;

/** Writes a file from the start; closing puts the whole of it in place of what was there. */
async function replace(path: string, from: Blob): Promise<void> {
  const writable = await (await handleOf(path, true)).createWritable();
  await from.stream().pipeTo(writable);
}

/** The private file system as a place for models. */
export const opfs: Files = {
  env: () => undefined,
  folders: () => ({ hub: `${ROOT}/hub`, own: `${ROOT}/own` }),
  text: async (path) => (await unlessMissing(storedFile(path)))?.text(),
  put: (path, text) => replace(path, new Blob([text])),
  async list(path) {
    const folder = await unlessMissing(folderAt(path.split("/"), false));
    const names: string[] = [];
    if (folder)
      for await (const [name, { kind }] of folder.entries())
        names.push(name + (kind === "directory" ? "/" : ""));
    return names.sort();
  },
  size: async (path) => (await unlessMissing(storedFile(path)))?.size,
  async open(path) {
    const handle = await (await handleOf(path, true)).createSyncAccessHandle();
    return {
      async read(into, offset) {
        return handle.read(into, { at: offset });
      },
      async write(bytes, offset) {
        for (let at = 0; at < bytes.length; ) {
          const end = Math.min(bytes.length, at + PIECE);
          const written = handle.write(bytes.subarray(at, end), { at: offset + at });
          // Some browsers write less, and throw nothing, when there is no room.
          if (written === 0) throw new DOMException("no room", "QuotaExceededError");
          at += written;
        }
      },
      async close() {
        handle.flush();
        handle.close();
      },
    };
  },
  async move(from, to) {
    const file = await handleOf(from);
    const { folder, name } = await placeOf(to, true);
    if (file.move) return file.move(folder, name);
    await replace(to, await file.getFile());
    await opfs.remove(from);
  },
  link: () => Promise.resolve(false),
  real: (path) => Promise.resolve(path),
  async remove(path) {
    const place = await unlessMissing(placeOf(path));
    if (place) await unlessMissing(place.folder.removeEntry(place.name, { recursive: true }));
  },
  async space() {
    const { quota, usage = 0 } = await navigator.storage.estimate();
    return quota === undefined ? undefined : { free: Math.max(0, quota - usage), quota };
  },
  lock: (path) =>
    new Promise((resolve, reject) => {
      navigator.locks
        .request(`webgguf ${path}`, { ifAvailable: true }, (held) => {
          if (!held) return resolve(undefined);
          return new Promise<void>((done) => resolve({ release: async () => done() }));
        })
        .catch(reject);
    }),
  sha256() {
    const hash = sha256.create();
    return {
      update: (bytes) => void hash.update(bytes),
      hex: () => Array.from(hash.digest(), (byte) => byte.toString(16).padStart(2, "0")).join(""),
    };
  },
};

/** Whether there is such a file system here, and one can write to it. */
export async function hasOpfs(): Promise<boolean> {
  try {
    await navigator.storage.getDirectory();
    return (
      navigator.locks !== undefined && "createSyncAccessHandle" in FileSystemFileHandle.prototype
    );
  } catch {
    return false;
  }
}
