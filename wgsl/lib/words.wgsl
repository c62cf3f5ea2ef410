// lib/words.wgsl: `weights: array<Word>`, which the kernel declares, as single words, for types whose rows may begin at any
// word. GGUF is little-endian.
alias Word = u32;
