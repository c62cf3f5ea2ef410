// needs: lib/step-layout
// lib/step.wgsl: the step being computed, as every kernel sees it; group 0 is the same for all kernels.
// step   a header (HEADER_*), then a record for each row (RECORD_*), then the list of the rows whose output is
//        wanted, then the sampling settings of each of these (SAMPLING_*): see lib/step-layout.wgsl
// pages  [sequence][page of the sequence] → page of the slab; PAGE positions a page
@group(0) @binding(0) var<storage, read> step: array<u32>;
@group(0) @binding(1) var<storage, read> pages: array<u32>;

fn record_of(row: u32) -> u32 { return HEADER_WORDS + RECORD_WORDS * row; }

// Rows of a value: all rows (domain 0) or only those whose output is wanted (domain 1).
fn row_count(domain: u32) -> u32 { return step[HEADER_ROWS + domain]; }
fn row_sequence(row: u32) -> u32 { return step[record_of(row) + RECORD_SEQUENCE]; }
fn row_position(row: u32) -> u32 { return step[record_of(row) + RECORD_POSITION]; }
fn row_token(row: u32) -> u32 { return step[record_of(row) + RECORD_TOKEN]; }
// Whether a given vector takes the place of the row's token.
fn row_given(row: u32) -> bool { return step[record_of(row) + RECORD_GIVEN] != 0u; }
// One past the last position that a row attends to: position + 1, or the sequence's length where attention is
// bidirectional.
fn row_end(row: u32) -> u32 { return step[record_of(row) + RECORD_END]; }

fn output_row(index: u32) -> u32 { return step[step[HEADER_OUTPUT_LIST] + index]; }
// First word of an output row's sampling settings.
fn sampling_of(index: u32) -> u32 { return step[HEADER_SAMPLING] + SAMPLING_WORDS * index; }
// Where the token sampled for an output row goes, behind the results of earlier steps.
fn result_of(index: u32) -> u32 { return step[HEADER_RESULTS] + index; }
