/** Feed-forward networks: gated, plain, and mixtures of experts. */
import type { MatrixRows } from "../../graph/builders/matrices.ts";
import type { Activation, Ref, RouteParams } from "../../graph/ops.ts";
import type { ModelBuilder } from "./model.ts";

/** down(activation(gate(x)) · up(x)); gate and up may be the two halves of `ffn_up`. */
export function gatedFfn(m: ModelBuilder, x: Ref, kind: Activation, suffix = ""): Ref {
  const [gate, up, down] = ["ffn_gate", "ffn_up", "ffn_down"].map((stem) => stem + suffix);
  if (m.has(gate)) return m.linear(m.gated(m.linear(x, gate), m.linear(x, up), kind), down);
  const out = m.shape(up)[1] / 2;
  const halves = [0, out].map((first) => m.linear(x, up, { first, out }));
  return m.linear(m.gated(halves[0], halves[1], kind), down);
}

/** down(activation(up(x))). */
export function plainFfn(
  m: ModelBuilder,
  x: Ref,
  kind: Activation,
  params?: number[],
  suffix = "",
): Ref {
  const inner = m.activation(m.linear(x, `ffn_up${suffix}`), kind, params);
  return m.linear(inner, `ffn_down${suffix}`);
}

export interface Experts extends Partial<Omit<RouteParams, "experts" | "groups" | "groupsUsed">> {
  readonly kind?: Activation | "swigluOai";
  /** Router logits, where they are not `ffn_gate_inp` of the experts' input. */
  readonly router?: Ref;
  /** Weigh the experts' input instead of their output. */
  readonly weighInput?: boolean;
}

/** A mixture of experts: each row goes through the `used` best of them. */
export function experts(m: ModelBuilder, x: Ref, options: Experts = {}): Ref {
  const { h } = m;
  const { kind = "silu", weighInput = false } = options;
  if (m.has("ffn_up.0") || m.has("ffn_down.0"))
    m.fail(
      "each expert has tensors of its own, as in files from before April 2024; convert the model " +
        "to GGUF again with a newer llama.cpp, which stacks them in one",
      "ffn_up.0",
    );
  const router = options.router ?? m.linear(x, "ffn_gate_inp");
  const groups = h.within("expert_group_count", 0, 4096, 1) || 1;
  const bias = m.has("exp_probs_b.bias") ? "exp_probs_b.bias" : "exp_probs_b";
  const route = m.moeRoute(router, {
    used: options.used ?? h.perLayer("expert_used_count")[m.layer()],
    gate: options.gate ?? expertGate(m),
    selectionBias: options.selectionBias ?? m.optional(bias, m.width(router)),
    groups,
    groupsUsed: h.within("expert_group_used_count", 1, groups, groups),
    normalize: options.normalize ?? h.boolean("expert_weights_norm", false),
    scale: options.scale ?? (h.number("expert_weights_scale", 0) || 1),
  });
  const input = weighInput ? m.moeScale(x, route) : x;
  const each = (stem: string, rows?: MatrixRows): Ref =>
    m.moeLinear(input, route, stem, weighInput, rows);
  let inner: Ref;
  if (m.has("ffn_gate_up_exps")) {
    const out = m.shape("ffn_gate_up_exps")[1] / 2;
    const halves = [0, out].map((first) => each("ffn_gate_up_exps", { first, out }));
    inner = m.gated(halves[0], halves[1], kind);
  } else if (m.has("ffn_gate_exps"))
    inner = m.gated(each("ffn_gate_exps"), each("ffn_up_exps"), kind);
  else inner = m.activation(each("ffn_up_exps"), kind as Activation);
  return m.moeSum(m.moeLinear(inner, route, "ffn_down_exps", true), route, weighInput);
}

/** The score function that `expert_gating_func` names. */
export function expertGate(m: ModelBuilder, fallback = 1): RouteParams["gate"] {
  const kinds = { 1: "softmax", 2: "sigmoid", 3: "softmaxChosen" } as const;
  const number = m.h.integer("expert_gating_func", 0) || fallback;
  const kind = kinds[number as keyof typeof kinds];
  return kind ?? m.h.fail("expert_gating_func", number, "1, 2 or 3");
}

/**
 * Gated with SiLU; or a mixture of experts where the layer has a router, plus the shared expert where
 * it has one (behind a gate of its own where it has that).
 */
export function denseOrExperts(m: ModelBuilder, x: Ref, options: Experts = {}): Ref {
  if (!m.has("ffn_gate_inp")) return gatedFfn(m, x, "silu");
  const routed = experts(m, x, options);
  if (!m.has("ffn_up_shexp")) return routed;
  const shared = gatedFfn(m, x, "silu", "_shexp");
  if (!m.has("ffn_gate_inp_shexp")) return m.add(routed, shared);
  const gate = m.activation(m.linear(x, "ffn_gate_inp_shexp"), "sigmoid");
  return m.add(routed, m.mul(shared, gate));
}
