// lib/step.wgsl: what every kernel may know of the step being computed; group 0 is the same for all.
// step   header, then one record a row, then the rows whose output is wanted
//        [0] rows  [1] output rows  [2] first word of the output row list  [3] first result of sampling
//        [4] first word of the output rows' sampling settings
//        record r at 16 + 8r: sequence, position, token (SAMPLED = the one sampled last), flags, spare × 4
//        settings of output row i at [4] + 12i: see sampleDraw.wgsl and samplePenalties.wgsl
// pages  [sequence][page of the sequence] → page of the slab; PAGE positions a page
@group(0) @binding(0) var<storage, read> step: array<u32>;
@group(0) @binding(1) var<storage, read> pages: array<u32>;

const SAMPLED = 0xffffffffu;

// Rows of a value: all rows (domain 0) or only those whose output is wanted (domain 1).
fn row_count(domain: u32) -> u32 { return step[domain]; }
fn row_sequence(row: u32) -> u32 { return step[16u + 8u * row]; }
fn row_position(row: u32) -> u32 { return step[17u + 8u * row]; }
fn row_token(row: u32) -> u32 { return step[18u + 8u * row]; }
fn output_row(index: u32) -> u32 { return step[step[2] + index]; }
fn sampling_of(index: u32) -> u32 { return step[4] + 12u * index; }
