/** The door to the store of models, which is loaded where it is needed. */
import type { ModelStore } from "./store/types.ts";

let opened: Promise<ModelStore> | undefined;

/** The one store of this process or page. */
export function modelStore(): Promise<ModelStore> {
  opened ??= open();
  return opened;
}

async function open(): Promise<ModelStore> {
  const { localStore } = await import("./store/local.ts");
  return localStore();
}
