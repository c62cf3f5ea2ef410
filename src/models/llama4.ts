/**
 * Llama 4: chunked layers with rotation, full ones without; experts weigh their input by a sigmoid.
 */
import { denseOrExperts } from "./parts/ffn.ts";
import type { Family } from "./parts/model.ts";
import { type Rope, ropeOf } from "./parts/rope.ts";
import { transformer } from "./parts/transformer.ts";
import { slidingLayers, slidingRopeOf } from "./parts/window.ts";

/** Positions of a chunk; the file does not say. */
const chunk = 8192;

export const llama4: Family = (m) => {
  const { h } = m;
  const rope = ropeOf(m, "norm");
  const chunkedRope = slidingRopeOf(m, "norm");
  const whole = h.integer("attention.sliding_window", chunk) === 0;
  const chunked = slidingLayers(h, 4).map((flag) => flag && !whole);
  const ropeIn = (layer: number): Rope => (chunked[layer] ? chunkedRope : rope);
  const rotated = (layer: number): boolean => whole || (layer + 1) % 4 !== 0;
  // The 400B model (128 experts) does without norms of queries and keys.
  const normed = h.integer("expert_count", 0) !== 128;
  return transformer(m, {
    rope: (layer) => (rotated(layer) ? ropeIn(layer) : undefined),
    attention: (layer) => ({
      window: chunked[layer] ? chunk : 0,
      windowKind: "chunked",
      normAfterRope: true,
      norm: (x, _, width) => (rotated(layer) && normed ? m.rmsNorm(x, undefined, width) : x),
      query: (q) => (rotated(layer) || whole ? q : m.positionScale(q, chunk, 0.1, 1)),
    }),
    ffn: (x) => denseOrExperts(m, x, { gate: "sigmoid", normalize: false, weighInput: true }),
  });
};
