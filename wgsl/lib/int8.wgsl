// 16 consecutive weights as signed bytes (lowest byte of q.x first) with what makes them floats again:
// w = scale * q + minimum. Exact for the types that offer decode_i8; minimum is 0 for symmetric ones.
struct Int8Run {
  q: vec4<u32>,
  scale: f32,
  minimum: f32,
}
