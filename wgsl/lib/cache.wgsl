// needs: lib/step
// lib/cache.wgsl: where a position of a sequence stands in a key/value slab.
// A slab is rows of [key of all heads | value of all heads]. RING = 0: pages of PAGE rows, found through the
// page table; RING > 0: a window of RING rows a sequence, used round and round.
fn slab_row(sequence: u32, position: u32) -> u32 {
  if (RING > 0u) { return sequence * RING + position % max(RING, 1u); }
  return pages[sequence * MAX_PAGES + position / PAGE] * PAGE + position % PAGE;
}
