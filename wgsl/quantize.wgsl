// needs: lib/step, lib/dot-i8
// quantize.wgsl: rows of activations as signed bytes, once for all products that read them (lib/dot-i8 has the layout).
//
//   a run of 16:  scale = max |g · x| / 127,  q = round(g · x / scale)
//   NORM: g = the weight of the RMS norm in front; its factor 1 / sqrt(mean(x²) + eps) is applied behind the
//         products, which add up the sums of squares; without it g = 1.
//
// x     [rows][x_stride] f32 as vec4; k is a multiple of 32                        binding 1
// small norm weights as vec4                                                      binding 2
// out   [rows][out_stride] vec4, 3 for 32 activations                            binding 3
// A thread makes two runs. grid: (ceil(k / 32 / WG), rows, 1)
struct Params {
  k: u32,
  domain: u32,
  x_offset: u32, // vec4, as all that follow
  x_stride: u32,
  out_offset: u32,
  out_stride: u32,
  norm: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(1) @binding(2) var<storage, read> small: array<vec4<f32>>;
@group(1) @binding(3) var<storage, read_write> out: array<vec4<u32>>;

// A run of smaller values counts as zeros: the inverse of its scale would overflow.
const LEAST = 1e-30;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let block = id.x;
  if (block >= params.k >> 5u || id.y >= row_count(params.domain)) { return; }
  let source = params.x_offset + id.y * params.x_stride + 8u * block;
  let to = params.out_offset + id.y * params.out_stride + BLOCK * block;
  var squares = 0.0;
  var scales = vec2(0.0);
  var sums = vec2(0);
  for (var run = 0u; run < 2u; run++) {
    var v: array<vec4<f32>, 4>;
    var most = vec4(0.0);
    for (var i = 0u; i < 4u; i++) {
      v[i] = x[source + 4u * run + i];
      if (NORM) {
        squares += dot(v[i], v[i]);
        v[i] *= small[params.norm + 8u * block + 4u * run + i];
      }
      most = max(most, abs(v[i]));
    }
    let reach = max(max(most.x, most.y), max(most.z, most.w));
    let inverse = select(0.0, 127.0 / reach, reach > LEAST);
    scales[run] = select(0.0, reach / 127.0, reach > LEAST);
    var words = vec4(0u);
    for (var i = 0u; i < 4u; i++) {
      // pack4xI8Clamp would do, but is wrong on one software adapter.
      let q = clamp(vec4<i32>(round(v[i] * inverse)), vec4(-127), vec4(127));
      words[i] = pack4xI8(q);
      sums[run] += (q.x + q.y) + (q.z + q.w);
    }
    out[to + run] = words;
  }
  let both = (bitcast<u32>(sums.x) & 0xffffu) | (bitcast<u32>(sums.y) << 16u);
  out[to + HEAD] = vec4(bitcast<u32>(scales.x), bitcast<u32>(scales.y), both, bitcast<u32>(squares));
}
