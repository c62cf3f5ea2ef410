/** Stores in folders of their own for tests in Node, and what they are compared with. */
import { mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import type { Pace } from "../../src/bytes/store/download.ts";
import { Store } from "../../src/bytes/store/store.ts";
import { disk } from "../../src/platform/disk.ts";
import { platform } from "../../src/platform/node.ts";
import type { Files } from "../../src/platform/types.ts";

let root: string | undefined;

/** A folder that is gone at the end of the process. */
export function temporaryFolder(): string {
  if (root === undefined) {
    const made = mkdtempSync(path.join(os.tmpdir(), "webgguf-store-"));
    process.on("exit", () => rmSync(made, { recursive: true, force: true }));
    root = made;
  }
  return mkdtempSync(path.join(root, "x"));
}

/** The file system with folders of its own and no environment. */
export const filesIn = (folder: string, more: Partial<Files> = {}): Files => ({
  ...disk,
  env: () => undefined,
  folders: () => ({ hub: `${folder}/hub`, own: `${folder}/own` }),
  ...more,
});

export const KIB = 1024;
export const MIB: number = 1024 * KIB;

/** Small ranges, so that small files have many. */
export const SMALL: Pace = { connections: 4, least: 64 * KIB, most: 64 * KIB };

/** Another store each time, as another process has. */
export const storeOn = (
  files: Files | undefined,
  pace: Pace = SMALL,
  onRequest?: (url: string, headers: Headers) => void,
): Store =>
  new Store({
    files,
    fetch(input, init) {
      onRequest?.(String(input), new Headers(init?.headers));
      return platform.fetch(input, init);
    },
    follows: false,
    pace,
    retry: { firstPause: 5 },
    openFile: platform.openFile,
  });

/** Bytes without a pattern. */
export function noise(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state = seed;
  for (let i = 0; i < words.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[i] = state;
  }
  return new Uint8Array(words.buffer, 0, length);
}

/** The bundled model. */
export const fixtureModel = (): Promise<Uint8Array<ArrayBuffer>> =>
  readFile(new URL("../../models/webgguf-tale-q8_0.gguf", import.meta.url)).then(
    (bytes) => new Uint8Array(bytes),
  );
