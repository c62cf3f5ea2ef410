/**
 * Gemma 4 as its 26B-A4B and 31B models are, which the tiny reference model is not: experts beside a
 * dense feed-forward, full layers whose values come from their keys, no embeddings by layer. Against a
 * computation in double precision.
 */
import { describe, expect, it } from "vitest";
import { random } from "../../bench/random-blocks.ts";
import type { MetadataValue } from "../../src/file/metadata.ts";
import { nmse } from "../conformance/archs.ts";
import { engineLogits, modelFile, type Weights } from "./double.ts";

const [width, vocabulary, heads, inner, experts, used, expertInner] = [32, 40, 4, 24, 4, 2, 16];
const [window, epsilon, cap] = [4, Math.fround(1e-6), 30];
const tokens = [3, 17, 0, 39, 17, 8, 25, 1, 12];
/** Sliding and full layers: key/value heads, head width and base of the rotation. */
const layers = [
  { sliding: true, kv: 2, head: 8, base: 10000 },
  { sliding: false, kv: 1, head: 16, base: 20000 },
  { sliding: true, kv: 2, head: 8, base: 10000 },
];

function gemma(routed: boolean): Weights {
  const next = random(routed ? 3 : 4);
  const weights = new Map<string, { shape: number[]; data: Float32Array }>();
  const add = (name: string, ...shape: number[]): void => {
    const size = shape.reduce((product, n) => product * n, 1);
    const vector = shape.length === 1;
    const spread = vector ? 0.3 : 2 / Math.sqrt(shape[0]);
    const data = Float32Array.from(
      { length: size },
      () => Number(vector) + spread * (next() / 2 ** 31 - 1),
    );
    weights.set(name, { shape, data });
  };
  add("token_embd.weight", width, vocabulary);
  add("output_norm.weight", width);
  add("rope_freqs.weight", 8);
  layers.forEach(({ sliding, kv, head }, i) => {
    const blk = (name: string, ...shape: number[]): void => add(`blk.${i}.${name}`, ...shape);
    for (const norm of ["attn_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm"])
      blk(`${norm}.weight`, width);
    blk("attn_q.weight", width, heads * head);
    blk("attn_k.weight", width, kv * head);
    if (sliding) blk("attn_v.weight", width, kv * head);
    blk("attn_output.weight", heads * head, width);
    blk("attn_q_norm.weight", head);
    blk("attn_k_norm.weight", head);
    blk("ffn_gate.weight", width, inner);
    blk("ffn_up.weight", width, inner);
    blk("ffn_down.weight", inner, width);
    blk("layer_output_scale.weight", 1);
    if (!routed) return;
    for (const norm of ["post_ffw_norm_1", "pre_ffw_norm_2", "post_ffw_norm_2"])
      blk(`${norm}.weight`, width);
    blk("ffn_gate_inp.weight", width, experts);
    blk("ffn_gate_inp.scale", width);
    blk("ffn_gate_up_exps.weight", width, 2 * expertInner, experts);
    blk("ffn_down_exps.weight", expertInner, width, experts);
    blk("ffn_down_exps.scale", experts);
  });
  return weights;
}

const hyper: Record<string, MetadataValue> = {
  context_length: 64,
  embedding_length: width,
  block_count: layers.length,
  "attention.head_count": heads,
  "attention.head_count_kv": Int32Array.from(layers, ({ kv }) => kv),
  "attention.key_length": 16,
  "attention.value_length": 16,
  "attention.key_length_swa": 8,
  "attention.value_length_swa": 8,
  "attention.layer_norm_rms_epsilon": epsilon,
  "attention.sliding_window": window,
  "attention.sliding_window_pattern": layers.map(({ sliding }) => sliding),
  "rope.dimension_count": 16,
  "rope.dimension_count_swa": 8,
  "rope.freq_base": 20000,
  "rope.freq_base_swa": 10000,
  feed_forward_length: inner,
  final_logit_softcapping: cap,
};

type Row = readonly number[];

function doubleGemma(weights: Weights): number[] {
  const of = (name: string): Float32Array => weights.get(name)!.data;
  const times = (x: Row, w: Float32Array): number[] =>
    Array.from({ length: w.length / x.length }, (_, row) =>
      x.reduce((sum, v, i) => sum + v * w[row * x.length + i], 0),
    );
  const norm = (x: Row, w?: Float32Array): number[] => {
    const root = Math.sqrt(x.reduce((sum, v) => sum + v * v, 0) / x.length + epsilon);
    return x.map((v, i) => (v / root) * (w?.[i] ?? 1));
  };
  const plus = (a: Row, b: Row): number[] => a.map((v, i) => v + b[i]);
  const gelu = (x: number): number =>
    0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
  const gated = (gate: Row, up: Row): number[] => gate.map((g, i) => gelu(g) * up[i]);
  const byHead = (x: Row, size: number, change: (head: Row) => number[]): number[] =>
    Array.from({ length: x.length / size }, (_, i) =>
      change(x.slice(i * size, (i + 1) * size)),
    ).flat();
  const factors = of("rope_freqs.weight");

  /** The rotation of a head, whose halves are the pairs. */
  const rotated = (x: Row, position: number, base: number, sliding: boolean): number[] => {
    const half = x.length / 2;
    return x.map((v, i) => {
      const pair = i % half;
      const angle = (position * base ** (-pair / half)) / (sliding ? 1 : factors[pair]);
      return v * Math.cos(angle) + (i < half ? -x[i + half] : x[i - half]) * Math.sin(angle);
    });
  };

  const attention = (rows: number[][], i: number): number[][] => {
    const { sliding, kv, head, base } = layers[i];
    const w = (name: string): Float32Array => of(`blk.${i}.${name}.weight`);
    const turned = (x: Row, name: string, p: number): number[] =>
      byHead(x, head, (one) => rotated(norm(one, w(name)), p, base, sliding));
    const keys = rows.map((row) => times(row, w("attn_k")));
    const q = rows.map((row, p) => turned(times(row, w("attn_q")), "attn_q_norm", p));
    const k = keys.map((row, p) => turned(row, "attn_k_norm", p));
    const v = rows.map((row, p) =>
      byHead(sliding ? times(row, w("attn_v")) : keys[p], head, (one) => norm(one)),
    );
    return q.map((query, p) => {
      const first = sliding ? Math.max(0, p - window + 1) : 0;
      const joined = Array.from({ length: heads }, (_, h) => {
        const own = Math.floor(h / (heads / kv)) * head;
        const scores = k.slice(first, p + 1).map((key) => {
          let score = 0;
          for (let e = 0; e < head; e++) score += query[h * head + e] * key[own + e];
          return Math.exp(score);
        });
        const total = scores.reduce((sum, score) => sum + score, 0);
        return Array.from({ length: head }, (_, e) =>
          scores.reduce((sum, score, j) => sum + (score / total) * v[first + j][own + e], 0),
        );
      }).flat();
      return times(joined, w("attn_output"));
    });
  };

  const routed = (x: Row, i: number): number[] => {
    const w = (name: string): Float32Array => of(`blk.${i}.${name}`);
    const scale = w("ffn_gate_inp.scale");
    const router = norm(x).map((v, e) => (v / Math.sqrt(width)) * scale[e]);
    const shares = times(router, w("ffn_gate_inp.weight")).map(Math.exp);
    const best = shares.map((_, e) => e).sort((a, b) => shares[b] - shares[a]);
    const chosen = best.slice(0, used);
    const total = chosen.reduce((sum, e) => sum + shares[e], 0);
    const y = norm(x, w("pre_ffw_norm_2.weight"));
    const part = (name: string, e: number): Float32Array => {
      const whole = w(name);
      return whole.subarray((e * whole.length) / experts, ((e + 1) * whole.length) / experts);
    };
    let sum: number[] = y.map(() => 0);
    for (const e of chosen) {
      const both = times(y, part("ffn_gate_up_exps.weight", e));
      const row = gated(both.slice(0, expertInner), both.slice(expertInner));
      const weight = (shares[e] / total) * w("ffn_down_exps.scale")[e];
      sum = plus(
        sum,
        times(row, part("ffn_down_exps.weight", e)).map((v) => v * weight),
      );
    }
    return norm(sum, w("post_ffw_norm_2.weight"));
  };

  const table = of("token_embd.weight");
  let stream = tokens.map((token) =>
    Array.from(table.subarray(token * width, (token + 1) * width), (v) => v * Math.sqrt(width)),
  );
  layers.forEach((_, i) => {
    const w = (name: string): Float32Array => of(`blk.${i}.${name}.weight`);
    const attended = attention(
      stream.map((row) => norm(row, w("attn_norm"))),
      i,
    );
    stream = stream.map((row, p) => {
      const x = plus(row, norm(attended[p], w("post_attention_norm")));
      const y = norm(x, w("ffn_norm"));
      const dense = times(gated(times(y, w("ffn_gate")), times(y, w("ffn_up"))), w("ffn_down"));
      const both = weights.has(`blk.${i}.ffn_gate_inp.weight`)
        ? plus(norm(dense, w("post_ffw_norm_1")), routed(x, i))
        : dense;
      const [scale] = w("layer_output_scale");
      return plus(x, norm(both, w("post_ffw_norm"))).map((v) => v * scale);
    });
  });
  return stream.flatMap((row) =>
    times(norm(row, of("output_norm.weight")), table).map((v) => cap * Math.tanh(v / cap)),
  );
}

describe("gemma4", () => {
  it.each([
    ["dense, as the 31B model", false, {}],
    [
      "with experts, as the 26B-A4B model",
      true,
      { expert_count: experts, expert_used_count: used },
    ],
  ])("%s", async (_, withExperts, more) => {
    const weights = gemma(withExperts);
    const file = await modelFile("gemma4", { ...hyper, ...more }, weights);
    const expected = doubleGemma(weights);
    for (const piece of [tokens.length, 2])
      expect(nmse(await engineLogits(file, tokens, piece), expected)).toBeLessThan(1e-11);
  });
});
