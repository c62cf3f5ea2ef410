/** The door to the store of models, which is loaded where it is needed. */
import { platform } from "#platform";
import type { ModelStore } from "./store/types.ts";

let opened: Promise<ModelStore> | undefined;

/** The one store of this process or page. */
export function modelStore(): Promise<ModelStore> {
  opened ??= open();
  return opened;
}

async function open(): Promise<ModelStore> {
  if (platform.runtime === "browser") {
    const { remoteStore } = await import("./store/remote.ts");
    const store = await remoteStore();
    if (store) return store;
  }
  const { localStore } = await import("./store/local.ts");
  return localStore();
}
