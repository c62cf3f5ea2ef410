// lib/topk.wgsl: the `wanted` largest of `count` keys by one workgroup of 64 threads; of equal keys the first.
// The kernel gives  fn key_at(i: u32) -> u32              the key of element i, not 0
//                   fn put(place: u32, i: u32)            called for each of them; places of equal keys are in order of i
// The two largest keys of each thread's share are 128 keys, so the wanted-th of these is a lower bound of the keys
// wanted. Nearly always few elements reach it: these are ranked. Otherwise (many equal keys, rising keys) the smallest
// key wanted is found exactly, digit by digit. Both ways give the same result.
const NEAR = 128u; // the most that can be wanted

var<workgroup> leading: array<u32, NEAR>; // two of each thread
var<workgroup> bound: u32;
var<workgroup> near: array<vec2<u32>, NEAR>; // (key, element) that reach the bound
var<workgroup> near_count: atomic<u32>;
var<workgroup> near_total: u32;
var<workgroup> bins: array<atomic<u32>, 1024>; // [digit][value]
var<workgroup> sums: array<u32, 320>; // [digit][thread], last what the threads' stretches hold

// Unsigned integers in the order of floats; -0 equals 0, NaN is as -Infinity.
fn order_key(bits: u32) -> u32 {
  let key = bits ^ select(0x80000000u, 0xffffffffu, (bits & 0x80000000u) != 0u);
  let ordered = select(key, 0x80000000u, bits == 0x80000000u);
  return select(ordered, 0x007fffffu, (bits & 0x7fffffffu) > 0x7f800000u);
}

// The float of a key, infinities as ±1e30.
fn key_float(key: u32) -> f32 {
  if (key >= 0xff800000u) { return 1e30; }
  if (key <= 0x007fffffu) { return -1e30; }
  return bitcast<f32>(select(~key, key & 0x7fffffffu, (key & 0x80000000u) != 0u));
}

// Elements first … first + count; 1 ≤ wanted ≤ count < 65,536.
fn find_largest(thread: u32, first: u32, count: u32, wanted: u32) {
  var top = 0u;
  var second = 0u;
  for (var i = thread; i < count; i += 64u) {
    let key = key_at(first + i);
    second = max(second, min(top, key));
    top = max(top, key);
  }
  leading[thread] = top;
  leading[64u + thread] = second;
  workgroupBarrier();
  var top_rank = 0u;
  var second_rank = 0u;
  for (var i = 0u; i < NEAR; i++) {
    let other = leading[i];
    top_rank += select(0u, 1u, other > top || (other == top && i < thread));
    second_rank += select(0u, 1u, other > second || (other == second && i < 64u + thread));
  }
  if (top_rank + 1u == wanted) { bound = top; }
  if (second_rank + 1u == wanted) { bound = second; }
  workgroupBarrier();
  for (var i = thread; i < count; i += 64u) {
    let key = key_at(first + i);
    if (key >= bound) {
      let at = atomicAdd(&near_count, 1u);
      if (at < NEAR) { near[at] = vec2(key, i); }
    }
  }
  workgroupBarrier();
  if (thread == 0u) { near_total = atomicLoad(&near_count); }
  let total = workgroupUniformLoad(&near_total);
  if (total > NEAR) {
    find_by_digits(thread, first, count, wanted);
    return;
  }
  for (var i = thread; i < total; i += 64u) {
    let mine = near[i];
    var rank = 0u;
    for (var j = 0u; j < total; j++) {
      let other = near[j];
      rank += select(0u, 1u, other.x > mine.x || (other.x == mine.x && other.y < mine.y));
    }
    if (rank < wanted) { put(rank, first + mine.y); }
  }
}

// Counts the keys' digits of 8 bits from the top, which finds the smallest key wanted, one digit at a time; then
// each thread puts what its own stretch has of these keys.
fn find_by_digits(thread: u32, first: u32, count: u32, wanted: u32) {
  var smallest = 0u; // its digits that are known
  var left = wanted; // how many elements with these digits are wanted
  for (var digit = 0u; digit < 4u; digit++) {
    let shift = 24u - 8u * digit;
    let known = select(0u, 0xffffffffu << ((shift + 8u) & 31u), digit > 0u);
    let bin = 256u * digit;
    for (var i = thread; i < count; i += 64u) {
      let key = key_at(first + i);
      if ((key & known) == smallest) { atomicAdd(&bins[bin + ((key >> shift) & 255u)], 1u); }
    }
    workgroupBarrier();
    var sum = 0u;
    for (var i = 0u; i < 4u; i++) { sum += atomicLoad(&bins[bin + 4u * thread + i]); }
    sums[64u * digit + thread] = sum;
    workgroupBarrier();
    var group = 63u;
    for (; group > 0u && sums[64u * digit + group] < left; group--) { left -= sums[64u * digit + group]; }
    var value = 4u * group + 3u;
    for (; value > 4u * group; value--) {
      let here = atomicLoad(&bins[bin + value]);
      if (here >= left) { break; }
      left -= here;
    }
    smallest |= value << shift;
  }
  let stretch = (count + 63u) / 64u;
  let begin = first + min(thread * stretch, count);
  let end = first + min((thread + 1u) * stretch, count);
  var larger = 0u;
  var equal = 0u;
  for (var i = begin; i < end; i++) {
    let key = key_at(i);
    larger += select(0u, 1u, key > smallest);
    equal += select(0u, 1u, key == smallest);
  }
  sums[256u + thread] = larger | (equal << 16u);
  workgroupBarrier();
  larger = 0u;
  equal = 0u;
  for (var t = 0u; t < thread; t++) {
    larger += sums[256u + t] & 0xffffu;
    equal += sums[256u + t] >> 16u;
  }
  for (var i = begin; i < end; i++) {
    let key = key_at(i);
    if (key > smallest || (key == smallest && equal < left)) { put(larger + min(equal, left), i); }
    larger += select(0u, 1u, key > smallest);
    equal += select(0u, 1u, key == smallest);
  }
}
