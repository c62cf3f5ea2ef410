// lib/kv-kinds.wgsl: element types of keys and values in a slab (kvKind of src/kernels/slot.ts).
const KV_F32 = 0u; // one a word
const KV_F16 = 1u; // two a word
const KV_Q8_0 = 2u; // blocks of 32 as [f32 scale][8 words of int8]: x = scale · q
const KV_Q4_0 = 3u; // blocks of 32 as [f32 scale][4 words of nibbles]: x = scale · (q − 8)
