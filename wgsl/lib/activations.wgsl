// lib/activations.wgsl: the numbers of element-wise functions. Generated from src/graph/activations.ts.
const ACT_SILU = 0u;
const ACT_GELU = 1u;
const ACT_GELU_ERF = 2u;
const ACT_GELU_QUICK = 3u;
const ACT_RELU = 4u;
const ACT_RELU2 = 5u;
const ACT_SIGMOID = 6u;
const ACT_TANH = 7u;
const ACT_SOFTPLUS = 8u;
const ACT_EXP = 9u;
const ACT_NEG_EXP = 10u;
const ACT_XIELU = 11u;
const ACT_SWIGLU_OAI = 12u;
const QUICK_GELU_ALPHA = 1.702;
