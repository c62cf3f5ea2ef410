/** The store of Node and Deno, in the process itself; in a browser without a worker, what reads past it. */
import { platform } from "#platform";
import { Store } from "./store.ts";
import type { ModelStore } from "./types.ts";

const MIB = 1 << 20;

export async function localStore(): Promise<ModelStore> {
  return new Store({
    files: await platform.files(),
    fetch: platform.fetch,
    follows: platform.runtime === "browser",
    pace: { connections: 4, least: 4 * MIB, most: 16 * MIB },
    openFile: (path) => platform.openFile(path),
  });
}
