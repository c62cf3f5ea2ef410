// lib/kv-kinds.wgsl: element types of keys and values in a slab (kvKind of src/kernels/slot.ts).
//
// A row holds the keys of all heads and behind them the values (src/plan/cache-layout.ts says where). A head's elements
// fill whole vec4<u32>, which is what one load takes; those past the head's width are zero. Blocks of 32 have their
// scales, f32 words, behind the elements of all heads.
const KV_F32 = 0u; // 4 elements in a vec4<u32>
const KV_F16 = 1u; // 8
const KV_Q8_0 = 2u; // 16 signed bytes: x = scale · q
const KV_Q4_0 = 3u; // 32 nibbles, the first lowest: x = scale · (q − 8)

// Quads, four elements each, in a vec4<u32>.
const K_QUADS = 1u << K_KIND;
const V_QUADS = 1u << V_KIND;
