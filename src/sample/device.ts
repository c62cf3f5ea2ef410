import { type DeviceSampling, MAX_DEVICE_TOP_K } from "../graph/executor.ts";
import type { ChainEntry } from "./chain.ts";

/** Entries that never remove the highest logit nor change which it is. */
const keepsHighest: ReadonlySet<string> = new Set([
  "top_n_sigma",
  "top_k",
  "top_p",
  "min_p",
  "mirostat",
  "mirostat_v2",
]);

/** What an executor can do by itself, in the only order in which it does. */
const deviceOrder: readonly string[] = ["top_k", "top_p", "min_p", "temperature"];

/** True if the chain leaves one possible token whatever the random numbers. */
export function isGreedy(entries: readonly ChainEntry[]): boolean {
  return entries.some(
    (entry) =>
      entry[0] === "greedy" ||
      (entry[0] === "temp" && entry[1] <= 0) ||
      (entry[0] === "temp_ext" && entry[1] <= 0 && entry[2] <= 0),
  );
}

/**
 * The chain in the executor's terms: for a greedy chain without samplers that change which token is
 * the most likely, and for a chain of top-k, top-p, min-p and temperature in this order (each may be
 * missing, but for a top-k that leaves few enough) that needs no history and no `minKeep`. Undefined
 * for all others, which the host samples.
 *
 * @param entries the active ones
 */
export function deviceSamplingOf(
  entries: readonly ChainEntry[],
  seed: number,
): DeviceSampling | undefined {
  if (isGreedy(entries)) {
    const plain = entries.every(
      ([name]) =>
        keepsHighest.has(name) || name === "temp" || name === "temp_ext" || name === "greedy",
    );
    return plain ? { temperature: 0, topK: 0, topP: 1, minP: 0, seed } : undefined;
  }
  const sampling = { temperature: 1, topK: 0, topP: 1, minP: 0, seed };
  let place = -1;
  for (const entry of entries) {
    const value = deviceEntry(entry);
    if (value === undefined || deviceOrder.indexOf(value.name) <= place) return undefined;
    place = deviceOrder.indexOf(value.name);
    Object.assign(sampling, value.set);
  }
  return sampling.topK >= 1 && sampling.topK <= MAX_DEVICE_TOP_K ? sampling : undefined;
}

function deviceEntry(
  entry: ChainEntry,
): { name: string; set: Partial<DeviceSampling> } | undefined {
  switch (entry[0]) {
    case "top_k":
      return { name: "top_k", set: { topK: entry[1] } };
    case "top_p":
      return entry[2] <= 1 ? { name: "top_p", set: { topP: entry[1] } } : undefined;
    case "min_p":
      return entry[2] <= 1 ? { name: "min_p", set: { minP: entry[1] } } : undefined;
    case "temp_ext":
      return entry[2] <= 0 ? { name: "temperature", set: { temperature: entry[1] } } : undefined;
    default:
      return undefined;
  }
}
