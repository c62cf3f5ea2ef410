// lib/quads.wgsl: `weights: array<Word>`, which the kernel declares, as four words at a time, for types whose blocks are
// whole multiples of 16 bytes: one load and one check of its bounds where lib/words has four.
alias Word = vec4<u32>;
