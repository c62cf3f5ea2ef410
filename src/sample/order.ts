/**
 * Descending order of floats, complete or of the first k only, without comparisons: a float's bits
 * become an unsigned integer of the same order; a histogram of the upper 16 bits finds how far down
 * the first k reach; a stable radix sort orders those. Linear in the number of values.
 */

/** Scratch memory for {@link topOrder}, reused from call to call. */
export interface OrderScratch {
  readonly floats: Float32Array;
  /** The same bytes as `floats`. */
  readonly keys: Uint32Array;
  readonly first: Uint32Array;
  readonly second: Uint32Array;
  readonly histogram: Uint32Array;
}

/** Scratch for up to `capacity` values. */
export function createOrderScratch(capacity: number): OrderScratch {
  const keys = new Uint32Array(capacity);
  return {
    floats: new Float32Array(keys.buffer),
    keys,
    first: new Uint32Array(capacity),
    second: new Uint32Array(capacity),
    histogram: new Uint32Array(1 << 16),
  };
}

/**
 * Indices of the min(k, size) largest of `values[0…size)`, largest first, equal values by
 * ascending index (-0 equals 0; no NaN). The result is a view into `scratch.first`, valid until the scratch is used again.
 */
export function topOrder(
  values: Float32Array,
  size: number,
  k: number,
  scratch: OrderScratch,
): Uint32Array {
  const { floats, keys } = scratch;
  for (let i = 0; i < size; i++) {
    floats[i] = values[i] + 0; // makes -0 the same as 0
    // Smaller keys for larger values: negative floats already fall with rising bits.
    const bits = keys[i];
    keys[i] = bits >>> 31 === 1 ? bits : ~bits & 0x7fffffff;
  }
  const gathered = k < size ? gatherAtLeast(size, k, scratch) : all(size, scratch);
  return radixSort(gathered, scratch).subarray(0, Math.min(k, size));
}

function all(size: number, { first }: OrderScratch): number {
  for (let i = 0; i < size; i++) first[i] = i;
  return size;
}

/** Puts into `first` every index whose key's upper half is among those that the k smallest keys reach. */
function gatherAtLeast(size: number, k: number, scratch: OrderScratch): number {
  const { keys, first, histogram } = scratch;
  histogram.fill(0);
  for (let i = 0; i < size; i++) histogram[keys[i] >>> 16]++;
  let last = 0;
  for (let count = histogram[0]; count < k; count += histogram[last]) last++;
  let gathered = 0;
  for (let i = 0; i < size; i++) if (keys[i] >>> 16 <= last) first[gathered++] = i;
  return gathered;
}

/** Sorts the first `size` indices in `first` by their keys, eight bits a pass; stable. Four passes end in `first`. */
function radixSort(size: number, scratch: OrderScratch): Uint32Array {
  const { keys, histogram } = scratch;
  let from = scratch.first;
  let to = scratch.second;
  for (let shift = 0; shift < 32; shift += 8) {
    histogram.fill(0, 0, 256);
    for (let i = 0; i < size; i++) histogram[(keys[from[i]] >>> shift) & 255]++;
    let start = 0;
    for (let digit = 0; digit < 256; digit++) {
      const count = histogram[digit];
      histogram[digit] = start;
      start += count;
    }
    for (let i = 0; i < size; i++) to[histogram[(keys[from[i]] >>> shift) & 255]++] = from[i];
    [from, to] = [to, from];
  }
  return from.subarray(0, size);
}
