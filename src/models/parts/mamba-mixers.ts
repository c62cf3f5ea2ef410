/**
 * The mixers of Mamba (https://arxiv.org/abs/2312.00752) and Mamba-2
 * (https://arxiv.org/abs/2405.21060).
 */
import type { Ref } from "../../graph/ops.ts";
import type { ModelBuilder } from "./model.ts";

/** A Mamba-1 mixer: every channel is a head with its own step, made from the rows themselves. */
export function mamba1Mixer(m: ModelBuilder, y: Ref): Ref {
  const { h } = m;
  const inner = h.integer("ssm.inner_size");
  const state = h.integer("ssm.state_size");
  const rank = h.integer("ssm.time_step_rank");
  const x = m.activation(
    m.conv(m.linear(y, "ssm_in", { first: 0, out: inner }), "ssm_conv1d"),
    "silu",
  );
  const z = m.linear(y, "ssm_in", { first: inner, out: inner });
  // Falcon Mamba norms the three parts without weights, Jamba with them.
  const plain = h.boolean("ssm.dt_b_c_rms", false);
  const part = (first: number, out: number, norm: string): Ref => {
    const value = m.linear(x, "ssm_x", { first, out });
    if (m.has(norm)) return m.rmsNorm(value, norm);
    return plain ? m.rmsNorm(value) : value;
  };
  const mixed = m.ssm({
    x,
    dt: m.linear(part(0, rank, "ssm_dt_norm"), "ssm_dt"),
    b: part(rank, state, "ssm_b_norm"),
    c: part(rank + state, state, "ssm_c_norm"),
    a: m.tensor("ssm_a"),
    d: m.tensor("ssm_d"),
    heads: inner,
    headWidth: 1,
    groups: 1,
    state,
  });
  return m.linear(m.gated(z, mixed, "silu"), "ssm_out");
}

/** A Mamba-2 mixer: one decay a head, B and C shared by groups of heads. */
export function mamba2Mixer(m: ModelBuilder, y: Ref): Ref {
  const { h } = m;
  const inner = h.integer("ssm.inner_size");
  const state = h.integer("ssm.state_size");
  const heads = h.within("ssm.time_step_rank", 1, inner);
  const groups = h.within("ssm.group_count", 1, heads);
  const shared = groups * state;
  const z = m.linear(y, "ssm_in", { first: 0, out: inner });
  const xbc = m.linear(y, "ssm_in", { first: inner, out: inner + 2 * shared });
  const dt = m.linear(y, "ssm_in", { first: 2 * inner + 2 * shared, out: heads });
  const all = m.activation(m.conv(xbc, "ssm_conv1d"), "silu");
  const mixed = m.ssm({
    x: m.slice(all, 0, inner),
    dt,
    b: m.slice(all, inner, shared),
    c: m.slice(all, inner + shared, shared),
    a: m.tensor("ssm_a"),
    d: m.tensor("ssm_d"),
    dtBias: m.optional("ssm_dt.bias", heads),
    heads,
    headWidth: inner / heads,
    groups,
    state,
  });
  const gated = m.gated(z, mixed, "silu");
  const normed = m.has("ssm_norm") ? m.rmsNorm(gated, "ssm_norm", inner / groups) : gated;
  return m.linear(normed, "ssm_out");
}
