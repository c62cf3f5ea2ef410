/** Starts helpers, each in a worker of its own. */
import { platform } from "#platform";
import type { HelperData } from "./work.mjs";

export interface Helper {
  end(): void;
}

/** @param onError is called when the worker cannot start, or ends by an error */
export function startHelper(data: HelperData, onError: (reason: string) => void): Helper {
  // By a name of its own, because bundlers take what is addressed by `import.meta.url` for a file of the page.
  const here = import.meta.url;
  if (platform.startThread)
    return platform.startThread(new URL("./work.mjs", here).href, "help", data, onError);
  const worker = new Worker(new URL("./helper.mjs", import.meta.url), { type: "module" });
  worker.addEventListener("error", (event) => {
    event.preventDefault();
    onError(event.message || "its worker could not be loaded");
  });
  worker.postMessage(data);
  return { end: () => worker.terminate() };
}

/** Threads that there can be here at most; more than one needs memory that threads can share. */
export function mostThreads(): number {
  const { crossOriginIsolated = true, document } = globalThis as {
    crossOriginIsolated?: boolean;
    document?: unknown;
  };
  const isPage = platform.runtime === "browser";
  const shares = typeof SharedArrayBuffer !== "undefined" && (!isPage || crossOriginIsolated);
  // A page's own thread must not wait for others.
  return shares && document === undefined ? 64 : 1;
}

/** Threads that are asked for, or half of the processors': the other half are often their second threads. */
export function threadsFor(wanted?: number): number {
  const processors = platform.processors?.() ?? globalThis.navigator?.hardwareConcurrency ?? 1;
  return Math.min(mostThreads(), wanted ?? Math.max(1, Math.floor(processors / 2)));
}
