// lib/tables.wgsl: the lookup tables of all types (src/file/tables.ts gives the layout), bound once a step.
@group(2) @binding(0) var<storage, read> tables: array<u32>;
