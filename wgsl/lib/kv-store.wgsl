// needs: lib/kv-kinds
// lib/kv-store.wgsl: packs kv_unit(kind) consecutive elements of `head`, from `source` on, and has the kernel's
// `put(at, words)` write them to the slab, `at` counting vec4<u32>. Formats as in lib/kv-kinds.wgsl; quantised as llama.cpp
// quantises q8_0 and q4_0 (scale from the element of largest magnitude). pack2x16float is undefined past ±65504 on some
// drivers, hence the clamp.
fn kv_unit(kind: u32) -> u32 {
  if (kind >= KV_Q8_0) { return 32u; }
  return 4u << kind;
}

fn head4(source: u32) -> vec4<f32> { return vec4(head[source], head[source + 1u], head[source + 2u], head[source + 3u]); }

// `left` elements of the head remain, of which halves may be fewer than the unit. Returns the block's scale.
fn kv_store(kind: u32, at: u32, source: u32, left: u32) -> f32 {
  if (kind == KV_F32) {
    put(at, bitcast<vec4<u32>>(head4(source)));
    return 1.0;
  }
  if (kind == KV_F16) {
    let v = clamp(head4(source), vec4(-65504.0), vec4(65504.0));
    var words = vec4(pack2x16float(v.xy), pack2x16float(v.zw), 0u, 0u);
    if (left > 4u) {
      let next = clamp(head4(source + 4u), vec4(-65504.0), vec4(65504.0));
      words = vec4(words.xy, pack2x16float(next.xy), pack2x16float(next.zw));
    }
    put(at, words);
    return 1.0;
  }
  var largest = 0.0;
  for (var i = 0u; i < 32u; i++) {
    let v = head[source + i];
    if (abs(v) > abs(largest)) { largest = v; }
  }
  if (kind == KV_Q8_0) {
    let inv = select(0.0, 127.0 / max(abs(largest), 1e-30), largest != 0.0);
    for (var i = 0u; i < 2u; i++) { put(at + i, vec4(bytes4(source + 16u * i, inv), bytes4(source + 16u * i + 4u, inv), bytes4(source + 16u * i + 8u, inv), bytes4(source + 16u * i + 12u, inv))); }
    return unpack2x16float(pack2x16float(vec2(abs(largest) / 127.0, 0.0))).x;
  }
  let raw = largest / -8.0;
  let inv = select(0.0, 1.0 / select(raw, 1.0, raw == 0.0), raw != 0.0);
  put(at, vec4(nibbles8(source, inv), nibbles8(source + 8u, inv), nibbles8(source + 16u, inv), nibbles8(source + 24u, inv)));
  return unpack2x16float(pack2x16float(vec2(raw, 0.0))).x;
}

fn bytes4(source: u32, inv: f32) -> u32 {
  return pack4xI8(vec4<i32>(clamp(round(head4(source) * inv), vec4(-127.0), vec4(127.0))));
}

fn nibbles8(source: u32, inv: f32) -> u32 {
  var packed = 0u;
  for (var j = 0u; j < 8u; j++) { packed |= u32(clamp(head[source + j] * inv + 8.5, 0.0, 15.0)) << (4u * j); }
  return packed;
}
