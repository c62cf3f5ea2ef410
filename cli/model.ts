/** Opens the model that the flags name, and closes it after use. */
import { type LoadOptions, loadModel, type Model } from "../mod.ts";
import type { Values } from "./flags.ts";
import { loadOptions } from "./model-flags.ts";
import { loadReporting, onInterrupt } from "./terminal.ts";

/** Loads, runs `use`, disposes. Ctrl-C while loading stops it. */
export async function withModel<T>(
  values: Values,
  more: LoadOptions,
  use: (model: Model) => Promise<T>,
): Promise<T> {
  const path = values.model();
  const stop = new AbortController();
  const off = onInterrupt(() => stop.abort(new Interrupted()));
  let model: Model;
  try {
    model = await loadModel(path, {
      ...loadOptions(values),
      ...loadReporting(),
      signal: stop.signal,
      ...more,
    });
  } finally {
    off();
  }
  try {
    return await use(model);
  } finally {
    await model.dispose();
  }
}

/** Ctrl-C: exit code 130. */
export class Interrupted extends Error {
  constructor() {
    super("Interrupted");
    this.name = "Interrupted";
  }
}

/** Runs `work` with a signal that Ctrl-C aborts. */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const off = onInterrupt(() => stop.abort(new Interrupted()));
  try {
    return await work(stop.signal);
  } finally {
    off();
  }
}
