// needs: lib/step
// lib/cache.wgsl: where a position of a sequence stands in a key/value slab.
// A slab is rows of [key of all heads | value of all heads], PAGE rows a page. TABLE entries of the page table are of one
// sequence; those of this slab's pages begin at FIRST_PAGE. RING = 0: a page for each PAGE positions; RING > 0: those
// of the last RING positions, used round and round.
fn slab_row(sequence: u32, position: u32) -> u32 {
  var page = position / PAGE;
  if (RING > 0u) { page = page % max(RING / PAGE, 1u); }
  return pages[sequence * TABLE + FIRST_PAGE + page] * PAGE + position % PAGE;
}
