import { type DeviceSampling, MAX_DEVICE_LAST_N, MAX_DEVICE_TOP_K } from "../graph/requests.ts";
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

/** The samplers that executors have, in the only order that they support. */
const deviceOrder: readonly string[] = ["penalties", "top_k", "top_p", "min_p", "temperature"];

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
 * The chain in the executor's terms; undefined for chains that only the host can run. Executors run
 *
 * - greedy chains in which nothing changes which token is the most likely, except for penalties at
 *   the start;
 * - chains of penalties, top-k, top-p, min-p and temperature in this order, without `minKeep`. All
 *   but top-k may be missing; top-k is at most {@link MAX_DEVICE_TOP_K}, and penalties look back at
 *   most {@link MAX_DEVICE_LAST_N} tokens.
 *
 * @param entries the active ones
 * @param contextLength what a `lastN` of −1 stands for
 */
export function deviceSamplingOf(
  entries: readonly ChainEntry[],
  seed: number,
  contextLength: number,
): DeviceSampling | undefined {
  if (isGreedy(entries)) {
    const penalized = entries[0]?.[0] === "penalties";
    const plain = entries
      .slice(penalized ? 1 : 0)
      .every(
        ([name]) =>
          keepsHighest.has(name) || name === "temp" || name === "temp_ext" || name === "greedy",
      );
    const greedy = { temperature: 0, topK: 0, topP: 1, minP: 0, seed };
    if (!plain || !penalized) return plain ? greedy : undefined;
    const value = deviceEntry(entries[0], contextLength);
    return value && { ...greedy, ...value.set };
  }
  const sampling: DeviceSampling = { temperature: 1, topK: 0, topP: 1, minP: 0, seed };
  let place = -1;
  for (const entry of entries) {
    const value = deviceEntry(entry, contextLength);
    if (value === undefined || deviceOrder.indexOf(value.name) <= place) return undefined;
    place = deviceOrder.indexOf(value.name);
    Object.assign(sampling, value.set);
  }
  return sampling.topK >= 1 && sampling.topK <= MAX_DEVICE_TOP_K ? sampling : undefined;
}

function deviceEntry(
  entry: ChainEntry,
  contextLength: number,
): { name: string; set: Partial<DeviceSampling> } | undefined {
  switch (entry[0]) {
    case "penalties": {
      const [name, last, repeat, frequency, presence] = entry;
      const lastN = last < 0 ? contextLength : last;
      if (lastN > MAX_DEVICE_LAST_N) return undefined;
      return { name, set: { penalties: { lastN, repeat, frequency, presence } } };
    }
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
