/** Maincoder: Llama with norms of queries and keys after their rotation. */
import type { Family } from "./parts/model.ts";
import { transformer } from "./parts/transformer.ts";

export const maincoder: Family = (m) =>
  transformer(m, { rope: "norm", attention: () => ({ normAfterRope: true }) });
