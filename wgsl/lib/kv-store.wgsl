// needs: lib/kv-kinds
// lib/kv-store.wgsl: writes kv_unit(kind) consecutive elements, taken from `head`, to a key or value row.
// Formats as in lib/kv-kinds.wgsl; quantised as llama.cpp quantises q8_0 and q4_0 (scale from the element
// of largest magnitude). pack2x16float is undefined past ±65504 on some drivers, hence the clamp.
fn kv_unit(kind: u32) -> u32 { return select(4u, 32u, kind >= KV_Q8_0); }

fn kv_store(kind: u32, word: u32, element: u32, source: u32) {
  if (kind == KV_F32) {
    for (var i = 0u; i < 4u; i++) { slab[word + element + i] = bitcast<u32>(head[source + i]); }
    return;
  }
  if (kind == KV_F16) {
    let v = clamp(vec4(head[source], head[source + 1u], head[source + 2u], head[source + 3u]), vec4(-65504.0), vec4(65504.0));
    slab[word + (element >> 1u)] = pack2x16float(v.xy);
    slab[word + (element >> 1u) + 1u] = pack2x16float(v.zw);
    return;
  }
  var largest = 0.0;
  for (var i = 0u; i < 32u; i++) {
    let v = head[source + i];
    if (abs(v) > abs(largest)) { largest = v; }
  }
  if (kind == KV_Q8_0) {
    let scale = unpack2x16float(pack2x16float(vec2(abs(largest) / 127.0, 0.0))).x;
    let inv = select(0.0, 127.0 / max(abs(largest), 1e-30), largest != 0.0);
    let at = word + 9u * (element >> 5u);
    slab[at] = bitcast<u32>(scale);
    for (var i = 0u; i < 8u; i++) {
      let v = vec4(head[source + 4u * i], head[source + 4u * i + 1u], head[source + 4u * i + 2u], head[source + 4u * i + 3u]);
      slab[at + 1u + i] = pack4xI8(vec4<i32>(clamp(round(v * inv), vec4(-127.0), vec4(127.0))));
    }
    return;
  }
  let raw = largest / -8.0;
  let inv = select(0.0, 1.0 / select(raw, 1.0, raw == 0.0), raw != 0.0);
  let at = word + 5u * (element >> 5u);
  slab[at] = bitcast<u32>(unpack2x16float(pack2x16float(vec2(raw, 0.0))).x);
  for (var i = 0u; i < 4u; i++) {
    var packed = 0u;
    for (var j = 0u; j < 8u; j++) {
      let q = u32(clamp(head[source + 8u * i + j] * inv + 8.5, 0.0, 15.0));
      packed |= q << (4u * j);
    }
    slab[at + 1u + i] = packed;
  }
}
