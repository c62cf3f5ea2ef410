// lib/none.wgsl: an offset or index that stands for "there is none" (NONE of src/kernels/call.ts).
const NONE = 0xffffffffu;
