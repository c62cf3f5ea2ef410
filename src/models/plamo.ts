/** PLaMo: attention and feed-forward side by side after one RMS norm. */
import type { Family } from "./parts/model.ts";
import { transformer } from "./parts/transformer.ts";

export const plamo: Family = (m) => transformer(m, { rope: "neox", parallel: true });
