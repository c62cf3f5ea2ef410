// lib/elementwise-kinds.wgsl: what elementwise.wgsl can do. Generated from src/kernels/elementwise-kinds.ts.
const OP_ADD = 0u;
const OP_MUL = 1u;
const OP_SCALE = 2u;
const OP_CLAMP = 3u;
const OP_ACTIVATION = 4u;
const OP_SOFTCAP = 5u;
const OP_GATED = 6u;
const OP_POSITION_SCALE = 7u;
const OP_XIELU = 8u;
