// needs: lib/activations
// lib/activation.wgsl: element-wise functions by their numbers in lib/activations.wgsl.
// Where the number is a constant the switch folds away. tanh is clamped: some drivers give NaN from 89 on.
fn safe_tanh(x: f32) -> f32 { return tanh(clamp(x, -15.0, 15.0)); }

// Abramowitz and Stegun 7.1.26 is too coarse (1.5e-7 absolute, poor near 0); this is the series of
// erf near 0 and the continued form of Numerical Recipes' erfc (relative error 1.2e-7) elsewhere.
fn erf(x: f32) -> f32 {
  let a = abs(x);
  if (a < 0.5) {
    let s = x * x;
    return x * (1.1283791671 + s * (-0.3761263890 + s * (0.1128379167 + s * (-0.0268661706 +
      s * (0.0052239776 + s * -0.0008548327)))));
  }
  let t = 1.0 / (1.0 + 0.5 * a);
  let p = -1.26551223 + t * (1.00002368 + t * (0.37409196 + t * (0.09678418 + t * (-0.18628806 +
    t * (0.27886807 + t * (-1.13520398 + t * (1.48851587 + t * (-0.82215223 + t * 0.17087277))))))));
  let c = t * exp(-a * a + p);
  return select(c - 1.0, 1.0 - c, x >= 0.0);
}

fn sigmoid(x: f32) -> f32 { return 1.0 / (1.0 + exp(clamp(-x, -80.0, 80.0))); }

fn softplus(x: f32) -> f32 { return select(log(1.0 + exp(min(x, 20.0))), x, x > 20.0); }

fn activate(kind: u32, x: f32) -> f32 {
  switch (kind) {
    case ACT_SILU: { return x * sigmoid(x); }
    case ACT_GELU: { return 0.5 * x * (1.0 + safe_tanh(0.7978845608028654 * x * (1.0 + 0.044715 * x * x))); }
    case ACT_GELU_ERF: { return 0.5 * x * (1.0 + erf(x * 0.7071067811865476)); }
    case ACT_GELU_QUICK: { return x * sigmoid(QUICK_GELU_ALPHA * x); }
    case ACT_RELU: { return max(x, 0.0); }
    case ACT_RELU2: { let r = max(x, 0.0); return r * r; }
    case ACT_SIGMOID: { return sigmoid(x); }
    case ACT_TANH: { return safe_tanh(x); }
    case ACT_SOFTPLUS: { return softplus(x); }
    case ACT_EXP: { return exp(x); }
    case ACT_NEG_EXP: { return -exp(x); }
    default: { return x; }
  }
}

// ACT_SWIGLU_OAI: gate ≤ limit, |up| ≤ limit, gate · σ(alpha · gate) · (up + 1).
fn gated(kind: u32, gate: f32, up: f32, alpha: f32, limit: f32) -> f32 {
  if (kind == ACT_SWIGLU_OAI) {
    let g = min(gate, limit);
    return g * sigmoid(alpha * g) * (clamp(up, -limit, limit) + 1.0);
  }
  return activate(kind, gate) * up;
}
