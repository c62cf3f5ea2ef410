/** Browsers: WebGPU of the page or worker, no files by path. */
import { WebggufError } from "../base/errors.ts";
import type { ByteSource } from "../base/source.ts";
import { commonFacts, gibibytes } from "./facts.ts";
import { listNavigatorAdapters, openNavigatorGpu } from "./gpu.ts";
import type { Gpu, Platform } from "./types.ts";

const help =
  "use a current Chrome, Edge, Firefox or Safari on https:// or localhost, with graphics acceleration switched on";

function webgpu(): GPU | undefined {
  return globalThis.navigator?.gpu;
}

/** The platform of browsers, pages and workers alike. */
export const platform: Platform = {
  runtime: "browser",
  openGpu(options): Promise<Gpu> {
    return openNavigatorGpu(webgpu(), help, options?.name);
  },
  listAdapters(): Promise<readonly string[]> {
    return listNavigatorAdapters(webgpu());
  },
  openFile(path): Promise<ByteSource> {
    return Promise.reject(
      new WebggufError(
        "input/invalid",
        `Cannot open ${path}: browsers open no paths; give a File, a Blob, bytes or a URL`,
        { file: path },
      ),
    );
  },
  // Called through, because a page may replace it and because it insists on its own `this`.
  fetch: (input, init) => globalThis.fetch(input, init),
  files: () => Promise.resolve(undefined),
  // Browsers round what they tell, and tell at most 8 GiB.
  memory: () => Promise.resolve(undefined),
  async facts(): Promise<Readonly<Record<string, string | number | boolean>>> {
    const facts: Record<string, string | number | boolean> = {
      runtime: "browser",
      agent: navigator.userAgent,
      ...commonFacts(),
      crossOriginIsolated: globalThis.crossOriginIsolated === true,
    };
    const memory = (navigator as { deviceMemory?: number }).deviceMemory;
    if (memory !== undefined) facts["memory"] = `at least ${memory} GiB`;
    const estimate = await navigator.storage?.estimate?.();
    if (estimate?.quota !== undefined) facts["storageQuota"] = gibibytes(estimate.quota);
    return facts;
  },
};
