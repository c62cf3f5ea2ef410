// needs: lib/step
// lib/runs.wgsl: runs of consecutive rows of one sequence, in order of position. What carries state from row to
// row takes a run in order; the runs of a step are independent of each other.
fn run_count() -> u32 { return step[HEADER_RUNS]; }
// First row of the i-th run.
fn run_first(i: u32) -> u32 { return step[record_of(i) + RECORD_ITH_RUN]; }
// First row, and one past the last, of the run that a row belongs to.
fn row_run_first(row: u32) -> u32 { return step[record_of(row) + RECORD_RUN_FIRST]; }
fn row_run_end(row: u32) -> u32 { return step[record_of(row) + RECORD_RUN_END]; }
